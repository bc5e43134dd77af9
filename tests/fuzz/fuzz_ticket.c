/* SPDX-License-Identifier: MPL-2.0 */
/* Tickets and codes: the first byte says whether the rest is text, or bytes that get a right
 * checksum so as to be read beyond it. What is read can be written, and is read alike again. */
#include <sodium.h>

#include "mesh/ticket.h"
#include "tests/fuzz/fuzz.h"

enum { TEXT, TICKET_BYTES, CODE_TEXT, CODE_BYTES, MODES };

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    return sodium_init() < 0;
}

static void read_ticket(const char *text) {
    char written[MESH_TICKET_MAX + 1];
    Ticket ticket, again;

    memset(&ticket, 0, sizeof ticket);
    memset(&again, 0, sizeof again);
    if (ticket_read(text, &ticket)) {
        return;
    }
    ticket_write(&ticket, written);
    FUZZ_CHECK(strlen(written) <= MESH_TICKET_MAX);
    FUZZ_CHECK(ticket_read(written, &again) == MESH_OK);
    FUZZ_CHECK(!memcmp(&ticket.inviter, &again.inviter, sizeof ticket.inviter));
    FUZZ_CHECK(!memcmp(ticket.secret, again.secret, sizeof ticket.secret));
    FUZZ_CHECK(again.address_count <= ticket.address_count);
}

static void read_code(const char *text) {
    uint8_t bytes[MESH_CODE_MAX], again[MESH_CODE_MAX];
    char written[MESH_CODE_MAX + 1];
    size_t length, length_again;

    if (ticket_code_read("join", text, bytes, sizeof bytes, &length)) {
        return;
    }
    if (ticket_code_write("join", BYTES_AT(bytes, length), written) == MESH_OK) {
        FUZZ_CHECK(strlen(written) <= MESH_CODE_MAX);
        FUZZ_CHECK(ticket_code_read("join", written, again, length, &length_again) == MESH_OK);
        FUZZ_CHECK(length == length_again && !memcmp(bytes, again, length));
    }
}

/* As any program would write it that knows the format, whatever is in it. */
static void seal_ticket(const uint8_t *data, size_t size) {
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint8_t bytes[1024];
    char text[2048] = "maillon:";
    size_t length = strlen(text);
    unsigned count = 0;
    uint32_t bits = 0;

    if (size > sizeof bytes - 4) {
        return;
    }
    memcpy(bytes, data, size);
    domain_hash(bytes + size, 4, "ticket", BYTES_AT(data, size), BYTES_NONE);
    for (size_t i = 0; i < size + 4; i++) {
        bits = bits << 8 | bytes[i];
        for (count += 8; count >= 5; count -= 5) {
            text[length++] = alphabet[bits >> (count - 5) & 31];
        }
    }
    if (count > 0) {
        text[length++] = alphabet[bits << (5 - count) & 31];
    }
    text[length] = '\0';
    read_ticket(text);
}

static void seal_code(const uint8_t *data, size_t size) {
    char text[MESH_CODE_MAX + 1];

    if (ticket_code_write("join", BYTES_AT(data, size), text) == MESH_OK) {
        uint8_t bytes[MESH_CODE_MAX];
        size_t length;

        FUZZ_CHECK(ticket_code_read("join", text, bytes, sizeof bytes, &length) == MESH_OK);
        FUZZ_CHECK(length == size && (size == 0 || !memcmp(bytes, data, size)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *text;

    if (size == 0) {
        return 0;
    }
    text = fuzz_copy(data + 1, size - 1);
    switch (data[0] % MODES) {
    case TEXT:
        read_ticket((const char *)text);
        break;
    case TICKET_BYTES:
        seal_ticket(text, size - 1);
        break;
    case CODE_TEXT:
        read_code((const char *)text);
        break;
    default:
        seal_code(text, size - 1);
        break;
    }
    free(text);
    return 0;
}
