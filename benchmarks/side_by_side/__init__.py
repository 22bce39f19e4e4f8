"""Proxies in front of the same backend under the same load: what each costs for the same work."""
