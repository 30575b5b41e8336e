"""Saved models as a web page and an HTTP API (extra ``serve``)."""
