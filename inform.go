package wnet

import "context"

// Informer answers about resources and networks. Where no network that could answer supports the question, every method is
// ERROR_NOT_SUPPORTED (G-12), and ERROR_NO_NETWORK where there is no network at all (G-04).
type Informer interface {
	// GetResourceInformation is WNetGetResourceInformation (RI-01 … RI-07): of res, RemoteName, Provider and Type are read. It may ask
	// the server. Codes: ERROR_BAD_NET_NAME (no network knows such a resource; with RI-06 the result's Provider then names the
	// network that knows its server), ERROR_BAD_DEV_TYPE, ERROR_BAD_PROVIDER, and those of Provider.Connect.
	GetResourceInformation(ctx context.Context, res Resource) (ResourceInfo, error)
	// GetResourceParent is WNetGetResourceParent (RP-01 … RP-04): of res, RemoteName and Provider are read, and both are needed. It
	// asks no server. At the top the result has no RemoteName. Codes: ERROR_BAD_NET_NAME, ERROR_BAD_PROVIDER.
	GetResourceParent(ctx context.Context, res Resource) (Resource, error)
	// GetProviderName is WNetGetProviderName (PN-01, PN-02): the first network of a type, of which the high word counts.
	// ERROR_NO_NETWORK if there is none.
	GetProviderName(ctx context.Context, netType uint32) (string, error)
	// GetNetworkInformation is WNetGetNetworkInformation (NI-02 … NI-04). ERROR_BAD_PROVIDER for a name that is none.
	GetNetworkInformation(ctx context.Context, provider string) (NetworkInfo, error)
	// GetConnectionPerformance is MultinetGetConnectionPerformance (MP-01 … MP-03): of res, LocalName is read, and RemoteName and
	// Provider where LocalName is "". Codes: ERROR_BAD_DEVICE, ERROR_NOT_CONNECTED, ERROR_BAD_NET_NAME (both names empty, or the
	// remote one is none), ERROR_BAD_PROVIDER, ERROR_NOT_SUPPORTED (the network measures nothing).
	GetConnectionPerformance(ctx context.Context, res Resource) (Performance, error)
	// FormatNetworkName is WNetFormatNetworkName (NP-16): a remote name as it is shown to a person.
	FormatNetworkName(ctx context.Context, req FormatRequest) (string, error)
}

// ResourceInfo is what is known of a resource.
type ResourceInfo struct {
	Resource Resource
	// System is the part of the name that follows the resource, as it was given: of `\\server\share\dir`, `\dir`; "" if there is none
	// (RI-03).
	System string
}

// NetworkInfo is NETINFOSTRUCT (NI-03, NI-04).
type NetworkInfo struct {
	Version         uint32 // the provider's: major << 16 | minor, 0 if unknown
	Status          uint32 // NO_ERROR, ERROR_NO_NETWORK or ERROR_BUSY
	Characteristics uint32 // 0
	Type            uint16 // the high word of WNNC_NET_*
	Printers        uint32 // bit 0 is LPT1: the ports that the network can redirect
	Drives          uint32 // bit 0 is A:: the letters that it can redirect
	Handle          uint64 // 0: there is no instance of a DLL
}

// Performance is NETCONNECTINFOSTRUCT, as measured on a live connection. 0 is unknown; 1 is better than one unit (NP-18).
type Performance struct {
	Flags       uint32 // WNCON_*
	Speed       uint32 // in 100 bit/s
	Delay       uint32 // one way, in ms
	OptDataSize uint32 // bytes that one transfer carries best
}

// FormatRequest is what FormatNetworkName takes.
type FormatRequest struct {
	Provider   string // "" for whichever network owns the name
	RemoteName string
	Flags      uint32 // WNFMT_*
	LineChars  uint32 // average characters of a line, for WNFMT_MULTILINE; 0 for any number
}

// PasswordCache is the password cache of Windows 9x (WNetCachePassword and its like), kept in the credential store of the user. Resources
// and passwords are bytes that mean something to the program alone. The codes are not documented anywhere (unsourced):
// ERROR_INVALID_PARAMETER for an empty or too long resource, a too long password or a type above 255; ERROR_NOT_SUPPORTED where
// there is no store; the store's own codes otherwise.
type PasswordCache interface {
	// CachePassword keeps a password in place of what was there for the resource and type.
	CachePassword(ctx context.Context, c CachedPassword) error
	// GetCachedPassword returns one. ERROR_FILE_NOT_FOUND if there is none.
	GetCachedPassword(ctx context.Context, resource []byte, typ uint32) (Secret, error)
	// RemoveCachedPassword forgets one. ERROR_FILE_NOT_FOUND if there is none.
	RemoveCachedPassword(ctx context.Context, resource []byte, typ uint32) error
	// EnumCachedPasswords lists those whose resource begins with prefix, of one type or of all (PCE_ALL), in order.
	EnumCachedPasswords(ctx context.Context, prefix []byte, typ uint32) ([]CachedPassword, error)
}

// CachedPassword is one entry of the cache.
type CachedPassword struct {
	Resource []byte // 1 to 1024 bytes
	Password Secret // up to 1024 bytes, not necessarily text
	Type     uint32 // PCE_*: up to 254, chosen by the program
}
