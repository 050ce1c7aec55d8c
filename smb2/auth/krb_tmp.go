package auth

import "context"

type realmClient struct{}

type kerberos struct{ mechanism }

func (kerberos) name() string { return "" }

func (c *Credential) kerberos(context.Context, string) (kerberos, error) {
	return kerberos{}, fail(Misconfigured, "")
}

func givesWay(error) bool { return true }
