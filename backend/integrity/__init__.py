"""Proof: compare Label Studio with the store, and the store with its own promises."""
