/* An auditor of the dynamic linker (LD_AUDIT, rtld-audit(7)): CPUID in the libraries of a process answers without some bits.
 *
 * Before a library's first line runs, each of its CPUID instructions becomes UD2, as long; what that raises is answered
 * with what CPUID says, less what is to be hidden. AS_CPU_PLACES names a file of lines "library address address …" (in
 * hexadecimal, as objdump has them), AS_CPU_HIDES holds "leaf part register bits" (hexadecimal; 0 to 3: eax to edx).
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <limits.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { MOST = 64, LENGTH = 2 };
static const uint8_t CPUID[LENGTH] = {0x0f, 0xa2}, UD2[LENGTH] = {0x0f, 0x0b};
static struct { unsigned leaf, part, reg, bits; } hides[MOST];
static int hidden;

static void answer(int number, siginfo_t *info, void *context) {
    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    (void)info;
    if (memcmp((const void *)r[REG_RIP], UD2, LENGTH)) { /* somebody else's */
        signal(number, SIG_DFL);
        return;
    }
    const unsigned leaf = (unsigned)r[REG_RAX], part = (unsigned)r[REG_RCX];
    unsigned out[4];
    __cpuid_count(leaf, part, out[0], out[1], out[2], out[3]);
    for (int i = 0; i < hidden; i++)
        if (hides[i].leaf == leaf && hides[i].part == part)
            out[hides[i].reg] &= ~hides[i].bits;
    r[REG_RAX] = out[0], r[REG_RBX] = out[1], r[REG_RCX] = out[2], r[REG_RDX] = out[3];
    r[REG_RIP] += LENGTH;
}

static void patch(uint8_t *at) {
    const uintptr_t page = (uintptr_t)at & -(uintptr_t)sysconf(_SC_PAGESIZE), end = (uintptr_t)at + LENGTH;
    if (mprotect((void *)page, end - page, PROT_READ | PROT_WRITE | PROT_EXEC) || memcmp(at, CPUID, LENGTH)) {
        fprintf(stderr, "as_cpu: no CPUID at %p\n", (void *)at);
        _exit(1);
    }
    memcpy(at, UD2, LENGTH);
    mprotect((void *)page, end - page, PROT_READ | PROT_EXEC);
}

unsigned la_version(unsigned version) {
    const char *text = getenv("AS_CPU_HIDES");
    for (int read = 0; text && hidden < MOST && sscanf(text, "%x %x %x %x%n", &hides[hidden].leaf, &hides[hidden].part,
                                                       &hides[hidden].reg, &hides[hidden].bits, &read) == 4; hidden++)
        text += read;
    struct sigaction action = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaction(SIGILL, &action, NULL);
    return version;
}

unsigned la_objopen(struct link_map *map, Lmid_t space, uintptr_t *cookie) {
    const char *name = getenv("AS_CPU_PLACES");
    char path[PATH_MAX], *line = NULL;
    size_t size = 0;
    FILE *file = name && realpath(map->l_name, path) ? fopen(name, "r") : NULL;
    (void)space, (void)cookie;
    while (file && getline(&line, &size, file) > 0) {
        const size_t length = strlen(path);
        if (strncmp(line, path, length) || line[length] != '\t')
            continue;
        for (char *at = line + length, *next; ; at = next) {
            const uintptr_t address = strtoull(at, &next, 16);
            if (next == at)
                break;
            patch((uint8_t *)map->l_addr + address);
        }
        break;
    }
    free(line);
    if (file)
        fclose(file);
    return 0;
}
