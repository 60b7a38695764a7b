/* Attention and embeddings over packed bfloat16 tokens, for CPUs with AMX; one thread a call.
 *
 * Every head of every text is small enough for a core's cache. For 16 queries at a time, AMX tile products give the
 * scores with keys down and queries across, so that the softmax (float32, AVX-512) needs no sums across a vector; its
 * weights are at once the right side of the products with the values.
 * No Python, no OpenMP: the caller runs one call on each core.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tiles.h"

enum { XFEATURE_TILEDATA = 18, ARCH_REQ_XCOMP_PERM = 0x1023 };

/* 1 if the CPU has what this file was compiled for and the kernel lets us use the tiles. */
int searcher_supported(void) {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl"))
        return 0;
    unsigned a, b, c, d;
    __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(7), "c"(1));
    if (!(a >> 5 & 1)) /* avx512-bf16 */
        return 0;
#ifdef SEARCHER_DOT
    return 1;
#else
    __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(7), "c"(0));
    if (!(d >> 22 & 1) || !(d >> 24 & 1)) /* amx-bf16, amx-tile */
        return 0;
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_TILEDATA) == 0;
#endif
}

/* 2^x for x <= 0, relative error 1e-4 (bfloat16 itself: 4e-3): a cubic for the part after the point, times 2^floor(x). */
INLINE __m512 power_of_2(__m512 x) {
    const __m512 rest = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF);
    __m512 y = _mm512_set1_ps(0.07802436f);
    y = _mm512_fmadd_ps(y, rest, _mm512_set1_ps(0.22606774f));
    y = _mm512_fmadd_ps(y, rest, _mm512_set1_ps(0.69583313f));
    y = _mm512_fmadd_ps(y, rest, _mm512_set1_ps(0.99992528f));
    return _mm512_scalef_ps(y, x);
}

/* 16 rows of 16 dwords, transposed. */
static void transpose16(const uint8_t *from, size_t stride, int rows, uint32_t *to) {
    __m512i r[16], t[16];
    for (int i = 0; i < 16; i++)
        r[i] = i < rows ? _mm512_loadu_si512(from + i * stride) : _mm512_setzero_si512();
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
    }
    for (int i = 0; i < 4; i++) {
        _mm512_storeu_si512(to + 16 * i, _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88));
        _mm512_storeu_si512(to + 16 * (i + 8), _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd));
        _mm512_storeu_si512(to + 16 * (i + 4), _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88));
        _mm512_storeu_si512(to + 16 * (i + 12), _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd));
    }
}

/* Two rows of 32 bfloat16 interleaved: (a0 b0 a1 b1 ...), the layout in which tiles take their right side. */
static void interleave(const uint16_t *a, const uint16_t *b, uint16_t *low, uint16_t *high) {
    static const uint16_t order[32] = {0, 32, 1, 33, 2, 34, 3, 35, 4, 36, 5, 37, 6, 38, 7, 39,
                                       8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47};
    const __m512i first = _mm512_loadu_si512(order);
    const __m512i second = _mm512_add_epi16(first, _mm512_set1_epi16(16));
    __m512i x = a ? _mm512_loadu_si512(a) : _mm512_setzero_si512();
    __m512i y = b ? _mm512_loadu_si512(b) : _mm512_setzero_si512();
    _mm512_storeu_si512(low, _mm512_permutex2var_epi16(x, first, y));
    _mm512_storeu_si512(high, _mm512_permutex2var_epi16(x, second, y));
}

/* Two vectors of float32 -> bfloat16 side by side: (low 0, high 0, low 1, high 1, ...). */
INLINE __m512i pairs(__m512 low, __m512 high) {
    static const uint16_t order[32] = {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23,
                                       8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    return _mm512_permutexvar_epi16(_mm512_loadu_si512(order), (__m512i)_mm512_cvtne2ps_pbh(high, low));
}

/* Scores, keys down and 16 queries across, -> weights, pairs of keys down, not yet divided by their sums, whose inverses
 * are returned. scale holds log2 e: weights are powers of 2. */
static __m512 softmax(const float *scores, uint16_t *weights, int length, int padded, float scale) {
    __m512 most = _mm512_load_ps(scores), other = most;
    int key = 0;
    for (; key + 1 < length; key += 2) {
        most = _mm512_max_ps(most, _mm512_load_ps(scores + key * TILE));
        other = _mm512_max_ps(other, _mm512_load_ps(scores + key * TILE + TILE));
    }
    if (key < length)
        most = _mm512_max_ps(most, _mm512_load_ps(scores + key * TILE));
    const __m512 scales = _mm512_set1_ps(scale), top = _mm512_mul_ps(_mm512_max_ps(most, other), scales);
    __m512 sum = _mm512_setzero_ps(), odd = sum;
    for (key = 0; key + 1 < length; key += 2, weights += 2 * TILE) {
        const __m512 a = power_of_2(_mm512_fmsub_ps(_mm512_load_ps(scores + key * TILE), scales, top));
        const __m512 b = power_of_2(_mm512_fmsub_ps(_mm512_load_ps(scores + key * TILE + TILE), scales, top));
        sum = _mm512_add_ps(sum, a);
        odd = _mm512_add_ps(odd, b);
        _mm512_store_si512(weights, pairs(a, b));
    }
    if (key < length) {
        const __m512 a = power_of_2(_mm512_fmsub_ps(_mm512_load_ps(scores + key * TILE), scales, top));
        sum = _mm512_add_ps(sum, a);
        _mm512_store_si512(weights, pairs(a, _mm512_setzero_ps()));
        key += 2, weights += 2 * TILE;
    }
    for (; key < padded; key += 2, weights += 2 * TILE)
        _mm512_store_si512(weights, _mm512_setzero_si512());
    return _mm512_div_ps(_mm512_set1_ps(1.0f), _mm512_add_ps(sum, odd));
}

/* Scratch of a head of a text; its tiles are 512 bfloat16 or 256 float32. parts: 32 components each. */
typedef struct {
    uint16_t *queries; /* parts tiles: pairs of components down, queries across */
    uint16_t *last;    /* parts tiles: the last keys, those behind the text 0 */
    uint16_t *values;  /* for each 32 keys two tiles a part: components down, keys across */
    uint16_t *weights; /* for each 32 keys a tile: pairs of keys down, queries across */
    float *scores;     /* for each 16 keys a tile: keys down, queries across */
    float *sums;       /* 32 components down, queries across */
} head_scratch;

/* v: (length, 32 * parts), rows `row` apart. */
static void turn_values(const uint16_t *v, size_t row, int length, int parts, uint16_t *values) {
    uint32_t low[TILE * TILE] __attribute__((aligned(64))), high[TILE * TILE] __attribute__((aligned(64)));
    for (int token = 0; token < length; token += STEP)
        for (int part = 0; part < parts; part++, values += 1024) {
            for (int i = 0; i < TILE; i++) {
                const int at = token + 2 * i;
                interleave(at < length ? v + at * row + part * STEP : 0,
                           at + 1 < length ? v + (at + 1) * row + part * STEP : 0, (uint16_t *)(low + i * TILE),
                           (uint16_t *)(high + i * TILE));
            }
            transpose16((uint8_t *)low, 64, TILE, (uint32_t *)values);
            transpose16((uint8_t *)high, 64, TILE, (uint32_t *)(values + 512));
        }
}

/* One head of one text. q, k, v: (length, 32 * parts), `row` apart; out: the same, `width` apart. */
static void attend(const uint16_t *q, const uint16_t *k, const uint16_t *v, size_t row, int length, int parts,
                   uint16_t *out, size_t width, head_scratch at) {
    const int padded = (length + STEP - 1) / STEP * STEP, whole = length / TILE * TILE;
    const float scale = 1.44269504f / __builtin_sqrtf((float)parts * STEP);
    turn_values(v, row, length, parts, at.values);
    for (int part = 0; part < parts; part++)
        for (int r = 0; r < TILE; r++)
            _mm512_store_si512(at.last + part * 512 + r * STEP,
                               whole + r < length ? _mm512_loadu_si512(k + (whole + r) * row + part * STEP)
                                                  : _mm512_setzero_si512());
    for (int first = 0; first < length; first += TILE) {
        const int rows = length - first < TILE ? length - first : TILE;
        for (int part = 0; part < parts; part++)
            transpose16((const uint8_t *)(q + first * row + part * STEP), row * 2, rows, (uint32_t *)(at.queries + part * 512));
        TILES_READ_MEMORY;
        for (int key = 0; key < length; key += TILE) {
            _tile_zero(0);
            for (int part = 0; part < parts; part++) {
                _tile_loadd(2, at.queries + part * 512, 64);
                if (key < whole)
                    _tile_loadd(1, k + key * row + part * STEP, row * 2);
                else
                    _tile_loadd(1, at.last + part * 512, 64);
                _tile_dpbf16ps(0, 1, 2);
            }
            _tile_stored(0, at.scores + key * TILE, 64);
        }
        const __m512 inverse = softmax(at.scores, at.weights, length, padded, scale);
        TILES_READ_MEMORY;
        for (int part = 0; part < parts; part++) {
            _tile_zero(0);
            _tile_zero(3);
            for (int key = 0; key < padded; key += STEP) {
                const uint16_t *values = at.values + ((size_t)(key / STEP) * parts + part) * 1024;
                _tile_loadd(2, at.weights + key * TILE, 64);
                _tile_loadd(1, values, 64);
                _tile_dpbf16ps(0, 1, 2);
                _tile_loadd(4, values + 512, 64);
                _tile_dpbf16ps(3, 4, 2);
            }
            _tile_stored(0, at.sums, 64);
            _tile_stored(3, at.sums + 256, 64);
            uint32_t across[TILE * TILE] __attribute__((aligned(64))), down[TILE * TILE] __attribute__((aligned(64)));
            for (int i = 0; i < TILE; i++)
                _mm512_store_si512(across + i * TILE,
                                   pairs(_mm512_mul_ps(_mm512_load_ps(at.sums + 2 * i * TILE), inverse),
                                         _mm512_mul_ps(_mm512_load_ps(at.sums + (2 * i + 1) * TILE), inverse)));
            transpose16((uint8_t *)across, 64, TILE, down);
            for (int r = 0; r < rows; r++)
                _mm512_storeu_si512(out + (first + r) * width + part * STEP, _mm512_load_si512(down + r * TILE));
        }
    }
}

/* qkv: (T, 3 * heads * size) bfloat16; bounds: (n + 1) of the texts; out: (T, heads * size) bfloat16.
 * size: of a head, a multiple of 32. Returns 0, or 1 when there is no memory. */
int searcher_attention(const uint16_t *qkv, const int64_t *bounds, int64_t n, int heads, int size, uint16_t *out) {
    int64_t longest = 0;
    for (int64_t i = 0; i < n; i++)
        longest = bounds[i + 1] - bounds[i] > longest ? bounds[i + 1] - bounds[i] : longest;
    const size_t width = (size_t)heads * size, row = 3 * width, most = (longest + STEP - 1) / STEP * STEP;
    const int parts = size / STEP;
    uint16_t *memory = aligned_alloc(64, (parts * 1024 + most * size + most * TILE) * 2 + (most * TILE + 512) * 4);
    if (!memory)
        return 1;
    head_scratch at = {.queries = memory, .last = memory + parts * 512, .values = memory + parts * 1024};
    at.weights = at.values + most * size;
    at.scores = (float *)(at.weights + most * TILE);
    at.sums = at.scores + most * TILE;
    const tile_config before = tiles_begin();
    for (int64_t text = 0; text < n; text++)
        for (int head = 0; head < heads; head++) {
            const uint16_t *q = qkv + bounds[text] * row + (size_t)head * size;
            attend(q, q + width, q + 2 * width, row, (int)(bounds[text + 1] - bounds[text]), parts,
                   out + bounds[text] * width + (size_t)head * size, width, at);
        }
    tiles_end(before);
    free(memory);
    return 0;
}

/* Embeddings of each token: its word, place and kind, summed and normalised. words, positions, types: float32 tables of
 * `width`, a multiple of 32; ids, places, segments: (rows,) into them; out: (rows, width) bfloat16. Returns 0, or 1
 * when there is no memory. */
int searcher_embed(const float *words, const float *positions, const float *types, const int64_t *ids,
                   const int64_t *places, const int64_t *segments, int64_t rows, int width, const float *scale,
                   const float *shift, float epsilon, uint16_t *out) {
    float *values = aligned_alloc(64, (size_t)width * 4);
    if (!values)
        return 1;
    for (int64_t row = 0; row < rows; row++) {
        const float *word = words + ids[row] * width, *place = positions + places[row] * width;
        const float *kind = types + segments[row] * width;
        __m512 sum = _mm512_setzero_ps(), squares = sum;
        for (int i = 0; i < width; i += 16) {
            __m512 value = _mm512_add_ps(_mm512_loadu_ps(word + i), _mm512_loadu_ps(place + i));
            value = _mm512_add_ps(value, _mm512_loadu_ps(kind + i));
            _mm512_store_ps(values + i, value);
            sum = _mm512_add_ps(sum, value);
            squares = _mm512_fmadd_ps(value, value, squares);
        }
        normalise(values, 32, width, sum, squares, scale, shift, epsilon, out + row * width);
    }
    free(values);
    return 0;
}
