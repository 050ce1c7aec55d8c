package rpc

import (
	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/rpc/wnetv1"
)

// eitherName is the name that a question about a connection is about.
func eitherName(r wnet.Resource) string {
	if r.LocalName != "" {
		return r.LocalName
	}
	return r.RemoteName
}

// optional keeps absent (NULL) apart from empty on the wire, for where the contract's "" is NULL.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func resourceInfoOut(i wnet.ResourceInfo) *wnetv1.GetResourceInformationResponse {
	m := &wnetv1.GetResourceInformationResponse{System: optional(text(i.System))}
	if i.Resource != (wnet.Resource{}) {
		m.Resource = resourceOut(i.Resource)
	}
	return m
}

func resourceInfoIn(m *wnetv1.GetResourceInformationResponse) wnet.ResourceInfo {
	return wnet.ResourceInfo{Resource: resourceIn(m.GetResource()), System: m.GetSystem()}
}

func networkInfoOut(n wnet.NetworkInfo) *wnetv1.GetNetworkInformationResponse {
	return &wnetv1.GetNetworkInformationResponse{ProviderVersion: n.Version, Status: n.Status, Characteristics: n.Characteristics,
		NetType: uint32(n.Type), Printers: n.Printers, Drives: n.Drives, Handle: n.Handle}
}

func networkInfoIn(m *wnetv1.GetNetworkInformationResponse) wnet.NetworkInfo {
	return wnet.NetworkInfo{Version: m.GetProviderVersion(), Status: m.GetStatus(), Characteristics: m.GetCharacteristics(),
		Type: uint16(m.GetNetType()), Printers: m.GetPrinters(), Drives: m.GetDrives(), Handle: m.GetHandle()}
}

func performanceOut(p wnet.Performance) *wnetv1.GetConnectionPerformanceResponse {
	return &wnetv1.GetConnectionPerformanceResponse{Flags: p.Flags, Speed: p.Speed, Delay: p.Delay, OptDataSize: p.OptDataSize}
}

func performanceIn(m *wnetv1.GetConnectionPerformanceResponse) wnet.Performance {
	return wnet.Performance{Flags: m.GetFlags(), Speed: m.GetSpeed(), Delay: m.GetDelay(), OptDataSize: m.GetOptDataSize()}
}

func formatOut(r wnet.FormatRequest) *wnetv1.FormatNetworkNameRequest {
	return &wnetv1.FormatNetworkNameRequest{Provider: r.Provider, RemoteName: &r.RemoteName, Flags: r.Flags, AveCharPerLine: r.LineChars}
}

func formatIn(m *wnetv1.FormatNetworkNameRequest) wnet.FormatRequest {
	return wnet.FormatRequest{Provider: m.GetProvider(), RemoteName: m.GetRemoteName(), Flags: m.GetFlags(), LineChars: m.GetAveCharPerLine()}
}

func cachedOut(c wnet.CachedPassword) *wnetv1.CachedPassword {
	return &wnetv1.CachedPassword{Resource: c.Resource, Password: []byte(c.Password.Reveal()), Type: c.Type}
}

func cachedIn(m *wnetv1.CachedPassword) wnet.CachedPassword {
	return wnet.CachedPassword{Resource: m.GetResource(), Password: wnet.NewSecret(string(m.GetPassword())), Type: m.GetType()}
}

// bytesOut and bytesIn are secretOut and secretIn for secrets that need not be text.
func bytesOut(s wnet.Secret) []byte {
	if !s.Present() {
		return nil
	}
	return append([]byte{}, s.Reveal()...) // never nil: absent is another thing than empty
}

func bytesIn(b []byte) wnet.Secret {
	if b == nil {
		return wnet.Secret{}
	}
	return wnet.NewSecret(string(b))
}

// blobOut is a blob of which the empty one is NULL.
func blobOut(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}
