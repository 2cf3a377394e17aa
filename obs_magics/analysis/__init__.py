"""Pure analysis: frames in, frames or small dataclasses out."""
