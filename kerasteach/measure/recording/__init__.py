"""Recording on the host: tables of what the hooks measured, in memory, on disk and in TensorBoard."""
