/* SPDX-License-Identifier: MPL-2.0 */
#include "node/net/stun.h"

#include <string.h>
#include <stun/stunagent.h>
#include <stun/usages/bind.h>

#include "node/net/address.h"

struct NetStun {
    StunAgent responder;
    StunAgent client;
    StunTransactionId asked;
};

NetStun *net_stun_create(void) {
    NetStun *stun = g_new0(NetStun, 1);
    /* libnice itself gathers with requests that have no magic cookie (RFC 3489). */
    stun_agent_init(&stun->responder, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC3489,
                    STUN_AGENT_USAGE_IGNORE_CREDENTIALS);
    stun_agent_init(&stun->client, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_IGNORE_CREDENTIALS);
    return stun;
}

void net_stun_destroy(NetStun *stun) {
    g_free(stun);
}

gboolean net_stun_is(Bytes bytes) {
    return bytes.length > 0 && (bytes.data[0] & 0xc0) == 0;
}

gsize net_stun_answer(NetStun *stun, Bytes request, const MeshPath *from,
                      guint8 ret_reply[NET_STUN_REPLY_SIZE]) {
    StunMessage asked = {0}, reply = {0};
    if (stun_agent_validate(&stun->responder, &asked, request.data, request.length, NULL, NULL) !=
            STUN_VALIDATION_SUCCESS ||
        stun_message_get_class(&asked) != STUN_REQUEST ||
        stun_message_get_method(&asked) != STUN_BINDING ||
        !stun_agent_init_response(&stun->responder, &reply, ret_reply, NET_STUN_REPLY_SIZE,
                                  &asked)) {
        return 0;
    }
    struct sockaddr_storage address;
    socklen_t length = net_address_to_socket(from, &address);
    StunMessageReturn appended =
        stun_message_has_cookie(&asked)
            ? stun_message_append_xor_addr(&reply, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &address,
                                           length)
            : stun_message_append_addr(&reply, STUN_ATTRIBUTE_MAPPED_ADDRESS,
                                       (struct sockaddr *)&address, length);
    return appended == STUN_MESSAGE_RETURN_SUCCESS
               ? stun_agent_finish_message(&stun->responder, &reply, NULL, 0)
               : 0;
}

void net_stun_ask(NetStun *stun, guint8 ret_request[NET_STUN_REQUEST_SIZE]) {
    StunMessage message = {0};
    stun_agent_forget_transaction(&stun->client, stun->asked);
    gsize length =
        stun_usage_bind_create(&stun->client, &message, ret_request, NET_STUN_REQUEST_SIZE);
    g_assert(length == NET_STUN_REQUEST_SIZE);
    stun_message_id(&message, stun->asked);
}

gboolean net_stun_answered(NetStun *stun, Bytes answer, MeshPath *ret_mapped) {
    StunMessage message = {0};
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    MeshPath mapped = {.kind = MESH_PATH_NONE};
    if (stun_agent_validate(&stun->client, &message, answer.data, answer.length, NULL, NULL) !=
            STUN_VALIDATION_SUCCESS ||
        stun_usage_bind_process(&message, (struct sockaddr *)&address, &length, NULL, NULL) !=
            STUN_USAGE_BIND_RETURN_SUCCESS ||
        !net_address_from_socket(&address, &mapped) || !net_address_is_usable(&mapped)) {
        return FALSE;
    }
    *ret_mapped = mapped;
    return TRUE;
}
