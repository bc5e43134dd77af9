/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Deterministic CBOR (RFC 8949 section 4.2.1), the few types the journal needs.
 * It owns nothing. It never accepts a head longer than needed, an indefinite length, a tag, a map
 * or a float: the same content has one encoding, so hashes of it mean something.
 */
#pragma once

#include "mesh/bytes.h"

void coder_write_uint(BytesWriter *writer, uint64_t value);
void coder_write_bytes(BytesWriter *writer, const void *data, size_t length);
void coder_write_text(BytesWriter *writer, const char *text, size_t length);
void coder_write_array(BytesWriter *writer, size_t count);

/* Each fails the reader when what comes next is of another type. */
uint64_t coder_read_uint(BytesReader *reader);
/* Borrowed. */
Bytes coder_read_bytes(BytesReader *reader);
/* Exactly `length` bytes, else the reader fails; zeros then. */
void coder_read_fixed(BytesReader *reader, uint8_t *ret_bytes, size_t length);
/* Borrowed; valid UTF-8 without control characters but tab and newline, else the reader fails. */
Bytes coder_read_text(BytesReader *reader);
size_t coder_read_array(BytesReader *reader);

/* Valid UTF-8 (RFC 3629: no surrogates, no overlong forms), no control character but \t and \n. */
bool coder_text_is_valid(const char *text, size_t length);
