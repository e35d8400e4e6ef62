// Laid over github.com/gomodule/oauth1/oauth by the compiler: gives its hook for tests and its
// base string, which it keeps to itself, to the driver. It changes nothing of the package.
package oauth

import (
	"net/url"
	"strings"
)

// Stamp has the next request signed with these protocol parameters, and no others.
func Stamp(parameters map[string]string) {
	testHook = func(own map[string]string) {
		for name := range own {
			delete(own, name)
		}
		for name, value := range parameters {
			own[name] = value
		}
	}
}

// BaseString is what was signed.
func BaseString(method string, u *url.URL, form url.Values, parameters map[string]string) string {
	var text strings.Builder
	writeBaseString(&text, method, u, form, parameters)
	return text.String()
}
