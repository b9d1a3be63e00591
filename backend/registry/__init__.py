"""Which classifier is champion: model versions and the append-only promotions."""
