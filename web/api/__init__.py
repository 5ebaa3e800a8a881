"""The archive for programs: read-only JSON under /api/v1, and its description in /openapi.json."""
