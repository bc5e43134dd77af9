/* SPDX-License-Identifier: MPL-2.0 */
#include "node/net/offer.h"

#include <string.h>

#include "node/net/address.h"

#define VERSION 1
/* RFC 8839 section 5.4. */
#define UFRAG_SIZE    4
#define PASSWORD_SIZE 22

static void write_text(BytesWriter *writer, const char *text) {
    gsize length = strlen(text);
    bytes_write_u8(writer, (guint8)length);
    bytes_write(writer, text, length);
}

/* Reads `least` to `most` ice-chars: letters, digits, + and /. */
static void read_text(BytesReader *reader, char *ret_text, gsize least, gsize most) {
    gsize length = bytes_read_u8(reader);
    const guint8 *text = bytes_read(reader, length);
    if (text == NULL || length < least || length > most) {
        reader->failed = true;
        return;
    }
    for (gsize i = 0; i < length; i++) {
        if (!g_ascii_isalnum(text[i]) && text[i] != '+' && text[i] != '/') {
            reader->failed = true;
            return;
        }
    }
    memcpy(ret_text, text, length);
    ret_text[length] = '\0';
}

gsize net_offer_write(const NetOffer *offer, guint8 *ret_bytes, gsize capacity) {
    BytesWriter writer = bytes_writer(ret_bytes, capacity);
    bytes_write_u8(&writer, VERSION);
    write_text(&writer, offer->ufrag);
    write_text(&writer, offer->password);
    guint8 *count = writer.at;
    bytes_write_u8(&writer, 0);
    if (writer.failed) {
        return 0;
    }
    for (guint i = 0; i < offer->count; i++) {
        const NetCandidate *candidate = &offer->candidates[i];
        BytesWriter before = writer;
        bytes_write_u8(&writer, (guint8)candidate->type);
        bytes_write_u32(&writer, candidate->priority);
        write_text(&writer, candidate->foundation);
        mesh_path_write(&writer, &candidate->path);
        if (writer.failed) {
            writer = before;
            break;
        }
        ++*count;
    }
    return bytes_written(&writer);
}

static void read_candidate(BytesReader *reader, NetCandidate *ret_candidate) {
    ret_candidate->type = bytes_read_u8(reader);
    ret_candidate->priority = bytes_read_u32(reader);
    read_text(reader, ret_candidate->foundation, 1, NET_OFFER_FOUNDATION);
    ret_candidate->path = mesh_path_read(reader);
    if (ret_candidate->type > NET_CANDIDATE_RELAYED || ret_candidate->priority == 0 ||
        !net_address_is_usable(&ret_candidate->path)) {
        reader->failed = true;
    }
}

gboolean net_offer_read(Bytes bytes, NetOffer *ret_offer) {
    BytesReader reader = bytes_reader(bytes.data, bytes.length);
    NetOffer offer = {.count = 0};
    if (bytes_read_u8(&reader) != VERSION) {
        return FALSE;
    }
    read_text(&reader, offer.ufrag, UFRAG_SIZE, NET_OFFER_UFRAG);
    read_text(&reader, offer.password, PASSWORD_SIZE, NET_OFFER_PASSWORD);
    offer.count = bytes_read_u8(&reader);
    if (reader.failed || offer.count > NET_OFFER_CANDIDATES) {
        return FALSE;
    }
    for (guint i = 0; i < offer.count && !reader.failed; i++) {
        read_candidate(&reader, &offer.candidates[i]);
    }
    if (!bytes_done(&reader)) {
        return FALSE;
    }
    *ret_offer = offer;
    return TRUE;
}
