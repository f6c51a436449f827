"""Designs of virtual experiments."""
