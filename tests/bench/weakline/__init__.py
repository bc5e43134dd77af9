# SPDX-License-Identifier: MPL-2.0
"""The weak line: everything at once on 16 to 2,000 kbit/s, beside what one would use instead."""
