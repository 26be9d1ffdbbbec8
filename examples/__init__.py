"""Runnable models and programs."""
