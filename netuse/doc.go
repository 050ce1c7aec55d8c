// Package netuse is the language of `net use` and `net view`: what a person types, read into a Command, and what is printed back, to
// the letter of the contract (netuse.md §1 to §3), always in English, so that scripts may rely on it.
//
// It does no I/O and knows no daemon: Parse takes arguments and gives a Command; the printing functions take what a wnet.Service
// has answered and give text. The command line puts the two together.
package netuse
