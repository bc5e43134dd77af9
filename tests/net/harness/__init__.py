# SPDX-License-Identifier: MPL-2.0
"""Builds small networks out of namespaces and runs real programs in them."""
