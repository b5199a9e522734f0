"""The routes, thin: read the request, call one part, answer."""
