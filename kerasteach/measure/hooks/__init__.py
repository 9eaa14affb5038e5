"""Hooks inside the compiled training step: what listens there, and the buffers that it writes."""
