// Code generated from the contract's table of error codes; DO NOT EDIT by hand: a row and its text change there first.

package win32

// The error codes of the contract (errors.md). Each is the Win32 number of that name.
const (
	NO_ERROR                               Code = 0
	ERROR_SUCCESS                          Code = 0
	ERROR_FILE_NOT_FOUND                   Code = 2
	ERROR_PATH_NOT_FOUND                   Code = 3
	ERROR_ACCESS_DENIED                    Code = 5
	ERROR_INVALID_HANDLE                   Code = 6
	ERROR_NOT_ENOUGH_MEMORY                Code = 8
	ERROR_INVALID_DRIVE                    Code = 15
	ERROR_GEN_FAILURE                      Code = 31
	ERROR_NOT_SUPPORTED                    Code = 50
	ERROR_REM_NOT_LIST                     Code = 51
	ERROR_BAD_NETPATH                      Code = 53
	ERROR_NETWORK_BUSY                     Code = 54
	ERROR_DEV_NOT_EXIST                    Code = 55
	ERROR_BAD_NET_RESP                     Code = 58
	ERROR_UNEXP_NET_ERR                    Code = 59
	ERROR_NETNAME_DELETED                  Code = 64
	ERROR_NETWORK_ACCESS_DENIED            Code = 65
	ERROR_BAD_DEV_TYPE                     Code = 66
	ERROR_BAD_NET_NAME                     Code = 67
	ERROR_SHARING_PAUSED                   Code = 70
	ERROR_REQ_NOT_ACCEP                    Code = 71
	ERROR_REDIR_PAUSED                     Code = 72
	ERROR_ALREADY_ASSIGNED                 Code = 85
	ERROR_INVALID_PASSWORD                 Code = 86
	ERROR_INVALID_PARAMETER                Code = 87
	ERROR_INSUFFICIENT_BUFFER              Code = 122
	ERROR_INVALID_NAME                     Code = 123
	ERROR_INVALID_LEVEL                    Code = 124
	ERROR_BUSY                             Code = 170
	ERROR_FORMS_AUTH_REQUIRED              Code = 224
	ERROR_MORE_DATA                        Code = 234
	ERROR_NO_MORE_ITEMS                    Code = 259
	ERROR_INVALID_ADDRESS                  Code = 487
	ERROR_BAD_DEVICE                       Code = 1200
	ERROR_CONNECTION_UNAVAIL               Code = 1201
	ERROR_DEVICE_ALREADY_REMEMBERED        Code = 1202
	ERROR_NO_NET_OR_BAD_PATH               Code = 1203
	ERROR_BAD_PROVIDER                     Code = 1204
	ERROR_CANNOT_OPEN_PROFILE              Code = 1205
	ERROR_BAD_PROFILE                      Code = 1206
	ERROR_NOT_CONTAINER                    Code = 1207
	ERROR_EXTENDED_ERROR                   Code = 1208
	ERROR_INVALID_NETNAME                  Code = 1214
	ERROR_INVALID_SHARENAME                Code = 1215
	ERROR_SESSION_CREDENTIAL_CONFLICT      Code = 1219
	ERROR_REMOTE_SESSION_LIMIT_EXCEEDED    Code = 1220
	ERROR_NO_NETWORK                       Code = 1222
	ERROR_CANCELLED                        Code = 1223
	ERROR_CONNECTION_REFUSED               Code = 1225
	ERROR_NETWORK_UNREACHABLE              Code = 1231
	ERROR_HOST_UNREACHABLE                 Code = 1232
	ERROR_CONNECTION_ABORTED               Code = 1236
	ERROR_RETRY                            Code = 1237
	ERROR_CONNECTION_COUNT_LIMIT           Code = 1238
	ERROR_LOGIN_TIME_RESTRICTION           Code = 1239
	ERROR_LOGIN_WKSTA_RESTRICTION          Code = 1240
	ERROR_NOT_AUTHENTICATED                Code = 1244
	ERROR_NOT_LOGGED_ON                    Code = 1245
	ERROR_CONTINUE                         Code = 1246
	ERROR_ALREADY_INITIALIZED              Code = 1247
	ERROR_NO_MORE_DEVICES                  Code = 1248
	ERROR_ONLY_IF_CONNECTED                Code = 1251
	ERROR_HOST_DOWN                        Code = 1256
	ERROR_NO_LOGON_SERVERS                 Code = 1311
	ERROR_NO_SUCH_LOGON_SESSION            Code = 1312
	ERROR_LOGON_FAILURE                    Code = 1326
	ERROR_ACCOUNT_RESTRICTION              Code = 1327
	ERROR_INVALID_LOGON_HOURS              Code = 1328
	ERROR_INVALID_WORKSTATION              Code = 1329
	ERROR_PASSWORD_EXPIRED                 Code = 1330
	ERROR_ACCOUNT_DISABLED                 Code = 1331
	ERROR_MUTUAL_AUTH_FAILED               Code = 1397
	ERROR_CANT_ACCESS_FILE                 Code = 1920
	ERROR_CONNECTED_OTHER_PASSWORD         Code = 2108
	ERROR_CONNECTED_OTHER_PASSWORD_DEFAULT Code = 2109
	ERROR_BAD_USERNAME                     Code = 2202
	ERROR_NOT_CONNECTED                    Code = 2250
	ERROR_OPEN_FILES                       Code = 2401
	ERROR_ACTIVE_CONNECTIONS               Code = 2402
	ERROR_DEVICE_IN_USE                    Code = 2404
)

var table = []entry{
	{0, "NO_ERROR", "The operation completed successfully."},
	{2, "ERROR_FILE_NOT_FOUND", "The system cannot find the file specified."},
	{3, "ERROR_PATH_NOT_FOUND", "The system cannot find the path specified."},
	{5, "ERROR_ACCESS_DENIED", "Access is denied."},
	{6, "ERROR_INVALID_HANDLE", "The handle is invalid."},
	{8, "ERROR_NOT_ENOUGH_MEMORY", "Not enough storage is available to process this command."},
	{15, "ERROR_INVALID_DRIVE", "The system cannot find the drive specified."},
	{31, "ERROR_GEN_FAILURE", "A device attached to the system is not functioning."},
	{50, "ERROR_NOT_SUPPORTED", "The request is not supported."},
	{51, "ERROR_REM_NOT_LIST", "Windows cannot find the network path. Verify that the network path is correct and the destination computer is not busy or turned off. If Windows still cannot find the network path, contact your network administrator."},
	{53, "ERROR_BAD_NETPATH", "The network path was not found."},
	{54, "ERROR_NETWORK_BUSY", "The network is busy."},
	{55, "ERROR_DEV_NOT_EXIST", "The specified network resource or device is no longer available."},
	{58, "ERROR_BAD_NET_RESP", "The specified server cannot perform the requested operation."},
	{59, "ERROR_UNEXP_NET_ERR", "An unexpected network error occurred."},
	{64, "ERROR_NETNAME_DELETED", "The specified network name is no longer available."},
	{65, "ERROR_NETWORK_ACCESS_DENIED", "Network access is denied."},
	{66, "ERROR_BAD_DEV_TYPE", "The network resource type is not correct."},
	{67, "ERROR_BAD_NET_NAME", "The network name cannot be found."},
	{70, "ERROR_SHARING_PAUSED", "The remote server has been paused or is in the process of being started."},
	{71, "ERROR_REQ_NOT_ACCEP", "No more connections can be made to this remote computer at this time because there are already as many connections as the computer can accept."},
	{72, "ERROR_REDIR_PAUSED", "The specified printer or disk device has been paused."},
	{85, "ERROR_ALREADY_ASSIGNED", "The local device name is already in use."},
	{86, "ERROR_INVALID_PASSWORD", "The specified network password is not correct."},
	{87, "ERROR_INVALID_PARAMETER", "The parameter is incorrect."},
	{122, "ERROR_INSUFFICIENT_BUFFER", "The data area passed to a system call is too small."},
	{123, "ERROR_INVALID_NAME", "The filename, directory name, or volume label syntax is incorrect."},
	{124, "ERROR_INVALID_LEVEL", "The system call level is not correct."},
	{170, "ERROR_BUSY", "The requested resource is in use."},
	{224, "ERROR_FORMS_AUTH_REQUIRED", "Access Denied. Before opening files in this location, you must first add the web site to your trusted sites list, browse to the web site, and select the option to login automatically."},
	{234, "ERROR_MORE_DATA", "More data is available."},
	{259, "ERROR_NO_MORE_ITEMS", "No more data is available."},
	{487, "ERROR_INVALID_ADDRESS", "Attempt to access invalid address."},
	{1200, "ERROR_BAD_DEVICE", "The specified device name is invalid."},
	{1201, "ERROR_CONNECTION_UNAVAIL", "The device is not currently connected but it is a remembered connection."},
	{1202, "ERROR_DEVICE_ALREADY_REMEMBERED", "The local device name has a remembered connection to another network resource."},
	{1203, "ERROR_NO_NET_OR_BAD_PATH", "The network path was either typed incorrectly, does not exist, or the network provider is not currently available. Please try retyping the path or contact your network administrator."},
	{1204, "ERROR_BAD_PROVIDER", "The specified network provider name is invalid."},
	{1205, "ERROR_CANNOT_OPEN_PROFILE", "Unable to open the network connection profile."},
	{1206, "ERROR_BAD_PROFILE", "The network connection profile is corrupted."},
	{1207, "ERROR_NOT_CONTAINER", "Cannot enumerate a noncontainer."},
	{1208, "ERROR_EXTENDED_ERROR", "An extended error has occurred."},
	{1214, "ERROR_INVALID_NETNAME", "The format of the specified network name is invalid."},
	{1215, "ERROR_INVALID_SHARENAME", "The format of the specified share name is invalid."},
	{1219, "ERROR_SESSION_CREDENTIAL_CONFLICT", "Multiple connections to a server or shared resource by the same user, using more than one user name, are not allowed. Disconnect all previous connections to the server or shared resource and try again."},
	{1220, "ERROR_REMOTE_SESSION_LIMIT_EXCEEDED", "An attempt was made to establish a session to a network server, but there are already too many sessions established to that server."},
	{1222, "ERROR_NO_NETWORK", "The network is not present or not started."},
	{1223, "ERROR_CANCELLED", "The operation was canceled by the user."},
	{1225, "ERROR_CONNECTION_REFUSED", "The remote computer refused the network connection."},
	{1231, "ERROR_NETWORK_UNREACHABLE", "The network location cannot be reached. For information about network troubleshooting, see Windows Help."},
	{1232, "ERROR_HOST_UNREACHABLE", "The network location cannot be reached. For information about network troubleshooting, see Windows Help."},
	{1236, "ERROR_CONNECTION_ABORTED", "The network connection was aborted by the local system."},
	{1237, "ERROR_RETRY", "The operation could not be completed. A retry should be performed."},
	{1238, "ERROR_CONNECTION_COUNT_LIMIT", "A connection to the server could not be made because the limit on the number of concurrent connections for this account has been reached."},
	{1239, "ERROR_LOGIN_TIME_RESTRICTION", "Attempting to log in during an unauthorized time of day for this account."},
	{1240, "ERROR_LOGIN_WKSTA_RESTRICTION", "The account is not authorized to log in from this station."},
	{1244, "ERROR_NOT_AUTHENTICATED", "The operation being requested was not performed because the user has not been authenticated."},
	{1245, "ERROR_NOT_LOGGED_ON", "The operation being requested was not performed because the user has not logged on to the network. The specified service does not exist."},
	{1246, "ERROR_CONTINUE", "Continue with work in progress."},
	{1247, "ERROR_ALREADY_INITIALIZED", "An attempt was made to perform an initialization operation when initialization has already been completed."},
	{1248, "ERROR_NO_MORE_DEVICES", "No more local devices."},
	{1251, "ERROR_ONLY_IF_CONNECTED", "This operation is supported only when you are connected to the server."},
	{1256, "ERROR_HOST_DOWN", "The remote system is not available. For information about network troubleshooting, see Windows Help."},
	{1311, "ERROR_NO_LOGON_SERVERS", "There are currently no logon servers available to service the logon request."},
	{1312, "ERROR_NO_SUCH_LOGON_SESSION", "A specified logon session does not exist. It may already have been terminated."},
	{1326, "ERROR_LOGON_FAILURE", "The user name or password is incorrect."},
	{1327, "ERROR_ACCOUNT_RESTRICTION", "Account restrictions are preventing this user from signing in. For example: blank passwords aren't allowed, sign-in times are limited, or a policy restriction has been enforced."},
	{1328, "ERROR_INVALID_LOGON_HOURS", "Your account has time restrictions that keep you from signing in right now."},
	{1329, "ERROR_INVALID_WORKSTATION", "This user isn't allowed to sign in to this computer."},
	{1330, "ERROR_PASSWORD_EXPIRED", "The password for this account has expired."},
	{1331, "ERROR_ACCOUNT_DISABLED", "This user can't sign in because this account is currently disabled."},
	{1397, "ERROR_MUTUAL_AUTH_FAILED", "Mutual Authentication failed. The server's password is out of date at the domain controller."},
	{1920, "ERROR_CANT_ACCESS_FILE", "The file cannot be accessed by the system."},
	{2108, "ERROR_CONNECTED_OTHER_PASSWORD", "The network connection was made successfully, but the user had to be prompted for a password other than the one originally specified."},
	{2109, "ERROR_CONNECTED_OTHER_PASSWORD_DEFAULT", "The network connection was made successfully using default credentials."},
	{2202, "ERROR_BAD_USERNAME", "The specified username is invalid."},
	{2250, "ERROR_NOT_CONNECTED", "This network connection does not exist."},
	{2401, "ERROR_OPEN_FILES", "This network connection has files open or requests pending."},
	{2402, "ERROR_ACTIVE_CONNECTIONS", "Active connections still exist."},
	{2404, "ERROR_DEVICE_IN_USE", "The device is in use by an active process and cannot be disconnected."},
}
