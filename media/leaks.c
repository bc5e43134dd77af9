/* SPDX-License-Identifier: MPL-2.0 */
/* What the leak checker of a sanitized build has to know of this program; else nothing. */
#include <sys/prctl.h>

#if defined(__has_feature)
#define LEAKS_CLANG __has_feature(address_sanitizer)
#else
#define LEAKS_CLANG 0
#endif

extern const char *__asan_default_options(void);
extern const char *__lsan_default_suppressions(void);
extern int __lsan_is_turned_off(void);

#if defined(__SANITIZE_ADDRESS__) || LEAKS_CLANG
/* What libraries allocate while they are loaded they never free (GLib its outgrown table of
   quarks), nor what sound servers and graphics leave behind when asked for their devices; whole
   stacks tell it from leaks of ours. */
const char *__asan_default_options(void) {
    return "fast_unwind_on_malloc=0";
}

const char *__lsan_default_suppressions(void) {
    return "leak:ld-linux\nleak:gst_device_provider_\nleak:gst_vulkan\n";
}

/* Inside the sandbox no process looks into another, so the check cannot be made there. */
int __lsan_is_turned_off(void) {
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 0;
}
#endif
