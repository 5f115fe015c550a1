"""Measurements that the README, the docs and the defaults rest on; none is a test."""
