package credential

import (
	"context"
	"os"
	"testing"

	"github.com/openwnet/wnet"
)

// A password kept in the kernel is found by target and user, by another Kernel of the same label too (the next daemon), and by no other.
func TestKernel(t *testing.T) {
	ctx := context.Background()
	label := t.TempDir()
	k := NewKernel(label)
	for user, pw := range map[string]string{"anna": "s3cret", "Bert": "", "": "x"} {
		if err := k.Keep(ctx, Credential{Target: "//nas", User: user, Password: wnet.NewSecret(pw)}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { k.Forget(ctx, "//nas", user) })
	}
	next := NewKernel(label)
	for user, want := range map[string]string{"ANNA": "s3cret", "bert": "", "": "x"} {
		if got := next.Recall(ctx, "//nas", user); !got.Present() || got.Reveal() != want {
			t.Errorf("%q: present %v", user, got.Present())
		}
	}
	if err := k.Keep(ctx, Credential{Target: "//nas", User: "anna", Password: wnet.NewSecret("new")}); err != nil {
		t.Fatal(err)
	}
	if got := next.Recall(ctx, "//nas", "anna"); got.Reveal() != "new" {
		t.Error("a new password does not replace the old")
	}
	if next.Recall(ctx, "//other", "anna").Present() || NewKernel(os.TempDir()).Recall(ctx, "//nas", "anna").Present() {
		t.Error("found under another name")
	}
	for range 2 {
		if err := next.Forget(ctx, "//nas", "anna"); err != nil {
			t.Fatal(err)
		}
	}
	if k.Recall(ctx, "//nas", "anna").Present() {
		t.Error("still there")
	}
}
