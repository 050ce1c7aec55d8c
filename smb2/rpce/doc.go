// Package rpce calls remote procedures over a named pipe of IPC$ ([MS-RPCE], DCE/RPC 1.1 connection-oriented), and has the two of the server
// service that browsing needs ([MS-SRVS]): NetShareEnum and NetServerGetInfo.
//
// It knows a pipe alone, so whichever client opens `\\server\IPC$\srvsvc` can use it. Nothing here is signed or encrypted: that is the SMB
// session's, which the pipe lies in.
//
// Every length, count and offset of the server's is checked before it is used, answers are bounded, and what is left over is an error: a
// server that lies gets ErrAnswer and nothing else.
package rpce
