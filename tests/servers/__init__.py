"""Real servers on loopback, for tests of what is fetched.

web.py           files over HTTP(S), with ETags, passwords, redirects and everything that goes wrong
git_http.py      git repositories over HTTP, by git's own http-backend
oci.py           the distribution project's registry, with and without passwords, tokens and TLS
certificates.py  an authority and what it signs
"""
