"""Tests of Tending."""
