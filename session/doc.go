// Package session keeps a user's logon sessions and their MS-DOS device namespaces (dosdevices.md; G-10, CC-26, CC-31).
//
// A logon session is what Windows knows by an AuthenticationID, a LUID. Its devices are seen by its own processes and by nobody else
// (DD-03, DD-08), except for those in the one global namespace, which all see (DD-02). A name is looked up in the session's own
// namespace first, then in the global one (DD-20).
//
// Which session a caller belongs to is read from its process, never from its message, unless it shows a token:
//
//   - A token, as Create gives one, leads to that token's session.
//   - Else the logind session of the process: a session-X.scope in its control group, of the same user, and a person's logon
//     (not a timer's or a manager's) that has not ended.
//   - Else the audit session of the process, where no logind session or user manager has to do with it, and logind does not know the
//     user: Debian's cron gives each job an audit session, which is nobody's logon.
//   - Else the default session. User units, cron jobs, containers and whatever outlives its logon are found here.
//
// The default session shows its drives in the root folder itself, where people look for them. So that a person with one logon finds
// them there, the first living logind or audit session that calls shares the default session; a further one at the same time is
// a session of its own (DD-08), in a folder of its own. When the sharing logon has ended, the next new one may share.
//
// A session is over with the last reference to it (DD-05): the logind session has closed, no process carries the audit session's
// number, or a token's anchor process has exited and no process shows the token in its environment. A process that hides its
// environment from its own user (a set-uid program, an ssh-agent) is no reference. The default session lasts as long as its Manager.
package session
