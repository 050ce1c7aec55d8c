// Package wine keeps Wine's prefixes in step with the drives of wnet: `wnet wine install` puts mpr.dll into a prefix and lists it, and the
// daemon's Keeper shows every drive of the default session in each listed prefix, also while Wine runs.
//
// What a prefix gets, and how (all of it seen with Wine 8):
//
//   - dosdevices/unc/SERVER/SHARE, a link to the mount, for every connection: programs open \\server\share\… through it. Wine looks at the
//     link anew at each open.
//   - dosdevices/y:, a link to the one above, for a drive, and "y:"="network" under HKLM\Software\Wine\Drives, by which Wine takes it for
//     a remote one (GetDriveType 4) from its next start on. A Wine that runs learns of the letter through its mount manager.
//   - HKCU\Network\Y for a remembered drive (netuse.md §4), in both directions: what changed on one side since the last look is done on the
//     other, and where both did, the profile wins.
//   - HKCU\Software\wnet "Channel": where mpr.dll finds the daemon's channel.
//
// Wine keeps its registry in memory while it runs, and in text files of the prefix otherwise. So a prefix whose wineserver runs is changed by
// a small program in it (agent/wnetagent.c), and one that rests by editing the files: the daemon never starts Wine by itself, which could end
// up without a display, or with nobody to ask before a prefix is updated.
//
// A letter that is the prefix's own, as Wine's z: for the whole file system, stays as it is, unless the person let wnet take it. What wnet
// made or changed is written down in the prefix, in .wnet, so that remove leaves everything as it was.
package wine
