/* AMX tiles for a CPU that has none: what it does not know raises SIGILL, and is done here as Intel's manual has it.
 *
 * To be compiled with the kernels into one library, whose first line sets the handler (sanitized.py). LDTILECFG, STTILECFG,
 * TILERELEASE, TILEZERO, TILELOADD, TILELOADDT1, TILESTORED and TDPBF16PS (Intel 64 and IA-32 Architectures Software
 * Developer's Manual, volume 2; the products' order of sums too). What a CPU would refuse, a tile without a shape or shapes that
 * do not match, ends the process with a line that says so. Some thousand times as slow as tiles.
 */
#define _GNU_SOURCE
#include <immintrin.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

enum { TILES = 8, ROWS = 16, BYTES = 64, VEX = 0xc4, MAP_0F38 = 2, FLUSHED = 0x9fc0 /* denormals are nought */ };
enum { NP, P66, PF3, PF2 }; /* the prefix that a VEX instruction stands for */

typedef struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t colsb[16];
    uint8_t rows[16];
} config;

static __thread config shapes;
static __thread uint8_t tiles[TILES][ROWS][BYTES] __attribute__((aligned(BYTES)));
static struct sigaction before;

static void refuse(const char *why) {
    static const char start[] = "tiles.c: a CPU would refuse ";
    if (write(2, start, sizeof start - 1) < 0 || write(2, why, strlen(why)) < 0 || write(2, "\n", 1) < 0)
        _exit(71);
    _exit(70);
}

static void configure(const void *from) {
    config asked;
    memcpy(&asked, from, sizeof asked);
    memset(tiles, 0, sizeof tiles);
    memset(&shapes, 0, sizeof shapes);
    if (!asked.palette)
        return;
    if (asked.palette != 1 || asked.start_row)
        refuse("this palette or first row");
    for (int i = 0; i < 14; i++)
        if (asked.reserved[i])
            refuse("a reserved byte that is not 0");
    for (int i = 0; i < 16; i++)
        if (asked.colsb[i] > BYTES || asked.rows[i] > ROWS || !asked.colsb[i] != !asked.rows[i] || (i >= TILES && asked.rows[i]))
            refuse("the shape of a tile");
    shapes = asked;
}

static int shaped(int tile) {
    if (!shapes.palette || tile >= TILES || !shapes.rows[tile])
        refuse("a tile without a shape");
    return tile;
}

static void load(int tile, const char *from, int64_t stride) {
    memset(tiles[shaped(tile)], 0, sizeof tiles[tile]);
    for (int row = 0; row < shapes.rows[tile]; row++)
        memcpy(tiles[tile][row], from + row * stride, shapes.colsb[tile]);
}

static void store(int tile, char *to, int64_t stride) {
    for (int row = 0; row < shapes.rows[shaped(tile)]; row++)
        memcpy(to + row * stride, tiles[tile][row], shapes.colsb[tile]);
}

static float wide(const uint8_t *row, int place) {
    uint32_t bits = (uint32_t)((const uint16_t *)row)[place] << 16;
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

static void multiply(int sum, int left, int right) {
    const int pairs = shapes.colsb[shaped(left)] / 4, width = shapes.colsb[shaped(right)] / 4;
    if (sum == left || left == right || sum == right || shapes.rows[right] != pairs ||
        shapes.rows[shaped(sum)] != shapes.rows[left] || shapes.colsb[sum] != shapes.colsb[right])
        refuse("a product of tiles whose shapes do not match");
    for (int row = 0; row < shapes.rows[left]; row++) {
        float even[ROWS] = {0}, odd[ROWS] = {0}, *to = (float *)tiles[sum][row];
        for (int pair = 0; pair < pairs; pair++)
            for (int i = 0; i < width; i++) {
                even[i] = __builtin_fmaf(wide(tiles[left][row], 2 * pair), wide(tiles[right][pair], 2 * i), even[i]);
                odd[i] = __builtin_fmaf(wide(tiles[left][row], 2 * pair + 1), wide(tiles[right][pair], 2 * i + 1), odd[i]);
            }
        for (int i = 0; i < width; i++)
            to[i] += even[i] + odd[i];
    }
    for (int row = shapes.rows[sum]; row < ROWS; row++)
        memset(tiles[sum][row], 0, BYTES);
}

static int64_t whole(const uint8_t *at, int size) {
    int32_t four;
    memcpy(&four, at, 4);
    return size == 1 ? (int8_t)*at : four;
}

/* One instruction at `at` -> its length, 0 if it is none of ours. */
static int done(const uint8_t *at, const greg_t *registers) {
    static const int PLACES[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                   REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    if (at[0] != VEX || (at[1] & 31) != MAP_0F38 || at[2] & 0x84) /* 128 bits, W0 */
        return 0;
    const int opcode = at[3], prefix = at[2] & 3, mod = at[4] >> 6, reg = at[4] >> 3 & 7, rm = at[4] & 7;
    const int third = ~(at[2] >> 3) & 15;
    if (opcode == 0x5c && prefix == PF3 && mod == 3)
        return multiply(reg, rm, third), 5;
    if (opcode == 0x49 && prefix == NP && at[4] == 0xc0)
        return configure(&(config){0}), 5;
    if (opcode == 0x49 && prefix == PF2 && mod == 3 && !rm)
        return memset(tiles[shaped(reg)], 0, sizeof tiles[reg]), 5;
    const int sibs = opcode == 0x4b && prefix != NP, configures = opcode == 0x49 && prefix <= P66 && !reg;
    if (mod == 3 || (!sibs && !configures) || (sibs && rm != 4))
        return 0;
    int length = 5, base = rm, own = rm != 4 && !(mod == 0 && rm == 5);
    int64_t stride = 0, place = 0;
    if (rm == 4) {
        const int index = (at[5] >> 3 & 7) | (at[1] & 0x40 ? 0 : 8);
        base = at[5] & 7, own = !(mod == 0 && base == 5), length = 6;
        stride = index == 4 ? 0 : registers[PLACES[index]] << (at[5] >> 6); /* a tile's rows lie so far apart */
    }
    const int size = mod == 1 ? 1 : mod == 2 || !own ? 4 : 0;
    place = size ? whole(at + length, size) : 0;
    length += size;
    if (own)
        place += registers[PLACES[base | (at[1] & 0x20 ? 0 : 8)]];
    else if (rm == 5)
        place += (int64_t)(uintptr_t)(at + length);
    if (sibs && prefix == PF3)
        store(reg, (char *)place, stride);
    else if (sibs)
        load(reg, (const char *)place, stride);
    else if (prefix == P66)
        memcpy((void *)(place + stride), &shapes, sizeof shapes);
    else
        configure((const void *)(place + stride));
    return length;
}

static void answer(int number, siginfo_t *info, void *context) {
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    (void)number, (void)info;
    _mm_setcsr(FLUSHED);
    const greg_t first = registers[REG_RIP];
    for (int length; (length = done((const uint8_t *)registers[REG_RIP], registers)); ) /* those that follow it at once */
        registers[REG_RIP] += length;
    if (registers[REG_RIP] == first) /* somebody else's: it is raised once more */
        sigaction(SIGILL, &before, NULL);
}

__attribute__((constructor)) static void begin(void) {
    struct sigaction action = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaction(SIGILL, &action, &before);
}

/* In the place of that of amx.c, which asks for tiles: the rest of what the kernels need. */
#undef searcher_supported
int searcher_supported(void) { return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vl"); }
