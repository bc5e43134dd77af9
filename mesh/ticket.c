/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/ticket.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define VERSION       1
#define PREFIX        "maillon:"
#define CODE_PREFIX   "maillon-"
#define CHECKSUM_SIZE 4
#define PREFIX_SIZE   (sizeof PREFIX - 1)
/* Bytes that fit in so many characters, 5 bits each. */
#define TEXT_BYTES(characters) ((characters)*5 / 8)
#define TICKET_BYTES           TEXT_BYTES(MESH_TICKET_MAX - PREFIX_SIZE)
#define CODE_BYTES             TEXT_BYTES(MESH_CODE_MAX)

static const char ALPHABET[] = "abcdefghijklmnopqrstuvwxyz234567"; /* RFC 4648 section 6 */

/* ---- text ---- */

static size_t base32_write(Bytes bytes, char *ret_text) {
    size_t length = 0;
    uint32_t bits = 0;
    unsigned count = 0;

    for (size_t i = 0; i < bytes.length; i++) {
        bits = bits << 8 | bytes.data[i];
        for (count += 8; count >= 5; count -= 5) {
            ret_text[length++] = ALPHABET[bits >> (count - 5) & 31];
        }
    }
    if (count > 0) {
        ret_text[length++] = ALPHABET[bits << (5 - count) & 31];
    }
    return length;
}

/* Bytes of the blank at `at`, 0 when there is none. Between "maillon" and ":", a French keyboard
 * or word processor puts an unbreakable space by itself: U+00A0 or U+202F. */
static size_t blank_size(const char *at) {
    static const char *const blanks[] = {" ",  "\t", "\n",       "\v",
                                         "\f", "\r", "\xc2\xa0", "\xe2\x80\xaf"};

    for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++) {
        size_t size = strlen(blanks[i]);

        if (!strncmp(at, blanks[i], size)) {
            return size;
        }
    }
    return 0;
}

/* The next character that counts, in lower case; '\0' at the end. */
static char next_character(const char **text) {
    size_t blank;
    char c;

    while ((blank = blank_size(*text)) > 0) {
        *text += blank;
    }
    c = **text;
    if (c != '\0') {
        (*text)++;
    }
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool skip_word(const char **text, const char *word) {
    while (*word != '\0') {
        if (next_character(text) != *word++) {
            return false;
        }
    }
    return true;
}

/* The only text of these bytes: the bits left over are zero, and less than a character. */
static bool base32_read(const char *text, uint8_t *ret_bytes, size_t capacity, size_t *ret_length) {
    size_t length = 0;
    uint32_t bits = 0;
    unsigned count = 0;
    char c;

    while ((c = next_character(&text)) != '\0') {
        const char *place = strchr(ALPHABET, c);

        if (!place) {
            return false;
        }
        bits = bits << 5 | (uint32_t)(place - ALPHABET);
        count += 5;
        if (count >= 8) {
            if (length == capacity) {
                return false;
            }
            count -= 8;
            ret_bytes[length++] = (uint8_t)(bits >> count);
        }
    }
    if (count >= 5 || (bits & ((1u << count) - 1)) != 0) {
        return false;
    }
    *ret_length = length;
    return true;
}

/* ---- tickets ---- */

/* Over everything before it, in every version: so that a newer ticket is told from a typo. */
static void checksum(const char *kind, Bytes word, Bytes bytes,
                     uint8_t ret_checksum[CHECKSUM_SIZE]) {
    domain_hash(ret_checksum, CHECKSUM_SIZE, kind, word, bytes);
}

static bool checksum_is_valid(const char *kind, Bytes word, const uint8_t *bytes, size_t length) {
    uint8_t expected[CHECKSUM_SIZE];

    if (length < CHECKSUM_SIZE) {
        return false;
    }
    checksum(kind, word, BYTES_AT(bytes, length - CHECKSUM_SIZE), expected);
    return !memcmp(expected, bytes + length - CHECKSUM_SIZE, CHECKSUM_SIZE);
}

void ticket_write(const Ticket *ticket, char ret_text[MESH_TICKET_MAX + 1]) {
    uint8_t bytes[TICKET_BYTES];
    BytesWriter writer = bytes_writer(bytes, sizeof bytes - CHECKSUM_SIZE);
    size_t length;

    assert(ticket->address_count <= TICKET_ADDRESSES_SIZE);
    bytes_write_u8(&writer, VERSION);
    bytes_write(&writer, ticket->inviter.bytes, MESH_KEY_SIZE);
    bytes_write(&writer, ticket->secret, TICKET_SECRET_SIZE);
    for (size_t i = 0; i < ticket->address_count; i++) {
        BytesWriter longer = writer;

        mesh_path_write(&longer, &ticket->addresses[i]);
        if (!longer.failed && ticket->addresses[i].kind == MESH_PATH_KNOCK) {
            writer = longer;
        }
    }
    length = bytes_written(&writer);
    checksum("ticket", BYTES_NONE, BYTES_AT(bytes, length), bytes + length);
    memcpy(ret_text, PREFIX, PREFIX_SIZE);
    length = base32_write(BYTES_AT(bytes, length + CHECKSUM_SIZE), ret_text + PREFIX_SIZE);
    ret_text[PREFIX_SIZE + length] = '\0';
    sodium_memzero(bytes, sizeof bytes);
}

static bool read_version_1(BytesReader reader, Ticket *ticket) {
    bytes_read_into(&reader, ticket->inviter.bytes, MESH_KEY_SIZE);
    bytes_read_into(&reader, ticket->secret, TICKET_SECRET_SIZE);
    while (bytes_left(&reader) > 0) {
        if (ticket->address_count == TICKET_ADDRESSES_SIZE) {
            return false;
        }
        ticket->addresses[ticket->address_count++] = mesh_path_read(&reader);
    }
    return bytes_done(&reader);
}

MeshError ticket_read(const char *text, Ticket *ret_ticket) {
    uint8_t bytes[CODE_BYTES]; /* a newer version's may be longer than ours */
    MeshError error = MESH_ERROR_TICKET_MISTYPED;
    Ticket ticket = {.address_count = 0};
    size_t length;

    if (!skip_word(&text, PREFIX) || !base32_read(text, bytes, sizeof bytes, &length) ||
        length <= CHECKSUM_SIZE || !checksum_is_valid("ticket", BYTES_NONE, bytes, length)) {
        return MESH_ERROR_TICKET_MISTYPED;
    }
    if (bytes[0] != VERSION) {
        error = MESH_ERROR_TICKET_VERSION;
    } else if (read_version_1(bytes_reader(bytes + 1, length - 1 - CHECKSUM_SIZE), &ticket)) {
        *ret_ticket = ticket;
        error = MESH_OK;
    }
    sodium_memzero(bytes, sizeof bytes);
    sodium_memzero(&ticket, sizeof ticket);
    return error;
}

void ticket_id(const uint8_t secret[TICKET_SECRET_SIZE], uint8_t ret_id[TICKET_ID_SIZE]) {
    domain_hash(ret_id, TICKET_ID_SIZE, "ticket id", BYTES_AT(secret, TICKET_SECRET_SIZE),
                BYTES_NONE);
}

void ticket_psk(const uint8_t secret[TICKET_SECRET_SIZE], uint8_t ret_psk[32]) {
    domain_hash(ret_psk, 32, "ticket psk", BYTES_AT(secret, TICKET_SECRET_SIZE), BYTES_NONE);
}

void ticket_seed(const uint8_t secret[TICKET_SECRET_SIZE], uint8_t ret_seed[MESH_SEED_SIZE]) {
    domain_hash(ret_seed, MESH_SEED_SIZE, "ticket seed", BYTES_AT(secret, TICKET_SECRET_SIZE),
                BYTES_NONE);
}

/* ---- codes ---- */

MeshError ticket_code_write(const char *word, Bytes bytes, char *ret_text) {
    size_t prefix = sizeof CODE_PREFIX - 1 + strlen(word) + 1;
    uint8_t whole[CODE_BYTES];
    size_t length = bytes.length + CHECKSUM_SIZE;

    if (prefix > MESH_CODE_MAX || bytes.length > sizeof whole ||
        length > TEXT_BYTES(MESH_CODE_MAX - prefix)) {
        return MESH_ERROR_TOO_LARGE;
    }
    if (bytes.length > 0) {
        memcpy(whole, bytes.data, bytes.length);
    }
    checksum("code", BYTES_AT(word, strlen(word) + 1), bytes, whole + bytes.length);
    memcpy(ret_text, CODE_PREFIX, sizeof CODE_PREFIX - 1);
    memcpy(ret_text + sizeof CODE_PREFIX - 1, word, strlen(word));
    ret_text[prefix - 1] = ':';
    length = base32_write(BYTES_AT(whole, length), ret_text + prefix);
    ret_text[prefix + length] = '\0';
    return MESH_OK;
}

MeshError ticket_code_read(const char *word, const char *text, uint8_t *ret_bytes, size_t capacity,
                           size_t *ret_length) {
    uint8_t whole[CODE_BYTES];
    size_t length;

    if (!skip_word(&text, CODE_PREFIX) || !skip_word(&text, word) || !skip_word(&text, ":") ||
        !base32_read(text, whole, sizeof whole, &length) ||
        !checksum_is_valid("code", BYTES_AT(word, strlen(word) + 1), whole, length) ||
        length - CHECKSUM_SIZE > capacity) {
        return MESH_ERROR_TICKET_MISTYPED;
    }
    *ret_length = length - CHECKSUM_SIZE;
    memcpy(ret_bytes, whole, *ret_length);
    return MESH_OK;
}
