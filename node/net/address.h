/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Knock addresses as the system writes them, and as a person does.
 * It owns nothing: values go in and out. It never resolves a name.
 */
#pragma once

#include <glib.h>
#include <sys/socket.h>

#include "mesh/path.h"

/* A KNOCK path; its interface only when the address is link-local. FALSE: another family. */
gboolean net_address_from_socket(const struct sockaddr_storage *address, MeshPath *ret_path);
/* The length of what was written; the interface goes with IPv6 link-local addresses. */
socklen_t net_address_to_socket(const MeshPath *path, struct sockaddr_storage *ret_address);

/* "192.0.2.1:3478" or "[2001:db8::1]:3478"; FALSE when it is not one of these. */
gboolean net_address_parse(const char *text, MeshPath *ret_path);

gboolean net_address_is_loopback(const MeshPath *path);
/* Not loopback, not link-local, and neither 10/8, 172.16/12, 192.168/16, 100.64/10 nor fc00::/7. */
gboolean net_address_is_public(const MeshPath *path);
/* One host, and a port: a datagram may be sent there. */
gboolean net_address_is_usable(const MeshPath *path);
