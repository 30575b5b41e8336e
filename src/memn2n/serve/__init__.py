"""A web page and an HTTP API for saved models (extra ``serve``)."""
