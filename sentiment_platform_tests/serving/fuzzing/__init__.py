"""Requests that nobody wrote by hand: by the OpenAPI document, and byte by byte."""
