// Package dfs finds out where a path of the Distributed File System really is ([MS-DFSC]): referrals for roots, standalone ones and those of a
// domain (`\\domain\root`), and for links; a cache with the lifetimes that servers give; several targets for one path, the next where one
// does not answer.
//
// It sends nothing itself. An Asker carries a request to a server (FSCTL_DFS_GET_REFERRALS on IPC$), and the client tells the Resolver what it
// learns on the way: Resolver.Targets gives a path's places, best first; where the server answers STATUS_PATH_NOT_COVERED,
// Resolver.Learn asks it for a referral; where a place does not answer, Resolver.Failed puts it behind the others.
//
// Paths here are `\server\share\path` with a single backslash in front, as the protocol has them, and are compared without regard to case.
package dfs
