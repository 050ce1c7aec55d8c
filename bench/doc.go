// Package bench measures wnet side by side with what people use today, in one run on one server. Nothing here passes or fails by a clock;
// the numbers are printed, as medians and ratios.
//
//	make bench
//
// Map is map + first listing + unmap of a share of a real smbd by wnet, by `rclone mount` and by gvfs (`gio mount`). Connections is the
// router with up to 10,000 connections in 1,000 sessions on the memory network: memory a connection, and the p99 of GetConnection and
// CancelConnection as their number grows.
package bench
