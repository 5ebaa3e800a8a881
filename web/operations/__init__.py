"""The operator's page: whether readers got today's letters, and if not, why; its figures for Prometheus; its door."""
