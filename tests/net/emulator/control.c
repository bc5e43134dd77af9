/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/net/emulator/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void emulator_control_init(EmulatorControl *control, int descriptor, FILE *answers) {
    *control = (EmulatorControl){.descriptor = descriptor, .answers = answers};
}

void emulator_control_finish(EmulatorControl *control) {
    if (control->descriptor >= 0)
        close(control->descriptor);
    if (control->answers != NULL && control->answers != stdout)
        fclose(control->answers);
    control->descriptor = -1;
    control->answers = NULL;
}

bool emulator_control_read(EmulatorControl *control) {
    if (control->length == sizeof control->buffer)
        control->length = 0; /* a line nobody means: forget it */
    ssize_t count = read(control->descriptor, control->buffer + control->length,
                         sizeof control->buffer - control->length);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (count <= 0) {
        emulator_control_finish(control);
        return false;
    }
    control->length += (size_t)count;
    return true;
}

bool emulator_control_line(EmulatorControl *control, char *ret_line, size_t capacity) {
    char *end = memchr(control->buffer, '\n', control->length);
    if (end == NULL)
        return false;
    size_t length = (size_t)(end - control->buffer);
    snprintf(ret_line, capacity, "%.*s", (int)length, control->buffer);
    control->length -= length + 1;
    memmove(control->buffer, end + 1, control->length);
    return true;
}

int emulator_control_listen(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        fprintf(stderr, "emulator: %s: too long for a socket\n", path);
        return -1;
    }
    strcpy(address.sun_path, path);
    unlink(path);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0 ||
        bind(descriptor, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(descriptor, 1) != 0) {
        fprintf(stderr, "emulator: %s: %s\n", path, strerror(errno));
        if (descriptor >= 0)
            close(descriptor);
        return -1;
    }
    return descriptor;
}
