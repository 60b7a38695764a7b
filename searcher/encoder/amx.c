/* Attention and embeddings over packed bfloat16 tokens, for CPUs with AMX; one thread a call.
 *
 * Every head of every text is small enough for a core's cache: its scores are made a block of 16 queries at a time by
 * AMX tile products, turned into weights in float32 (AVX-512), and multiplied with the values, again in tiles.
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
    __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(7), "c"(0));
    if (!(d >> 22 & 1) || !(d >> 24 & 1)) /* amx-bf16, amx-tile */
        return 0;
    __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(7), "c"(1));
    if (!(a >> 5 & 1)) /* avx512-bf16 */
        return 0;
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_TILEDATA) == 0;
}

/* 2^x for -126 <= x <= 0, relative error 1e-4 (bfloat16 itself: 4e-3). The sum with 1.5 * 2^23 leaves the whole part of
 * x in the low bits; a cubic gives 2^(the rest). */
static inline __m512 exp2_512(__m512 x) {
    const __m512 magic = _mm512_set1_ps(12582912.0f);
    x = _mm512_max_ps(x, _mm512_set1_ps(-126.0f));
    const __m512 shifted = _mm512_add_ps(x, magic);
    const __m512 rest = _mm512_sub_ps(x, _mm512_sub_ps(shifted, magic)); /* -0.5 ... 0.5 */
    __m512 y = _mm512_set1_ps(0.05517167f);
    y = _mm512_fmadd_ps(y, rest, _mm512_set1_ps(0.24261112f));
    y = _mm512_fmadd_ps(y, rest, _mm512_set1_ps(0.69326099f));
    y = _mm512_fmadd_ps(y, rest, _mm512_set1_ps(0.99992807f));
    const __m512i power = _mm512_slli_epi32(_mm512_castps_si512(shifted), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(y), power));
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

/* Scores of a row -> weights, not yet divided by their sum, which is returned. */
static float weights_of(float *scores, uint16_t *weights, int length, int padded, float scale) {
    const __m512 scales = _mm512_set1_ps(scale);
    int whole = length / 16 * 16;
    __mmask16 tail = (__mmask16)((1u << (length - whole)) - 1);
    __m512 most = _mm512_set1_ps(-3.0e38f);
    for (int i = 0; i < whole; i += 16)
        most = _mm512_max_ps(most, _mm512_load_ps(scores + i));
    if (tail)
        most = _mm512_mask_max_ps(most, tail, most, _mm512_load_ps(scores + whole));
    const __m512 top = _mm512_set1_ps(_mm512_reduce_max_ps(most) * scale);
    __m512 sum = _mm512_setzero_ps();
    int i = 0;
    for (; i < whole; i += 16) {
        __m512 w = exp2_512(_mm512_fmsub_ps(_mm512_load_ps(scores + i), scales, top));
        sum = _mm512_add_ps(sum, w);
        _mm256_storeu_si256((__m256i *)(weights + i), (__m256i)_mm512_cvtneps_pbh(w));
    }
    if (tail) {
        __m512 w = _mm512_maskz_mov_ps(tail, exp2_512(_mm512_fmsub_ps(_mm512_load_ps(scores + i), scales, top)));
        sum = _mm512_add_ps(sum, w);
        _mm256_storeu_si256((__m256i *)(weights + i), (__m256i)_mm512_cvtneps_pbh(w));
        i += 16;
    }
    for (; i < padded; i += 16)
        _mm256_storeu_si256((__m256i *)(weights + i), _mm256_setzero_si256());
    return _mm512_reduce_add_ps(sum);
}

/* qkv: (T, 3 * heads * size) bfloat16; bounds: (n + 1) of the texts; out: (T, heads * size) bfloat16.
 * size: of a head, a multiple of 32. Returns 0, or 1 when there is no memory. */
int searcher_attention(const uint16_t *qkv, const int64_t *bounds, int64_t n, int heads, int size, uint16_t *out) {
    int64_t longest = 0;
    for (int64_t i = 0; i < n; i++)
        if (bounds[i + 1] - bounds[i] > longest)
            longest = bounds[i + 1] - bounds[i];
    const size_t width = (size_t)heads * size, row = 3 * width;
    const int most = (int)((longest + STEP - 1) / STEP * STEP), parts = size / STEP;
    const size_t matrix = (size_t)most * size;
    const float scale = 1.44269504f / __builtin_sqrtf((float)size); /* with log2 e: weights are powers of 2 */
    uint8_t *memory = aligned_alloc(64, (matrix * 3 + (size_t)TILE * most) * 2 + (size_t)TILE * most * 4 + 4 * TILE * TILE * 4 * 8);
    if (!memory)
        return 1;
    uint16_t *queries = (uint16_t *)memory, *keys = queries + matrix, *values = keys + matrix;
    uint16_t *weights = values + matrix;
    float *scores = (float *)(weights + (size_t)TILE * most), *sums = scores + (size_t)TILE * most;

    const tile_config before = tiles_begin();
    for (int64_t text = 0; text < n; text++) {
        const int length = (int)(bounds[text + 1] - bounds[text]);
        const int padded = (length + STEP - 1) / STEP * STEP, blocks = (length + TILE - 1) / TILE;
        for (int head = 0; head < heads; head++) {
            const uint16_t *q = qkv + bounds[text] * row + (size_t)head * size, *k = q + width, *v = k + width;
            /* keys: for each block of 16 keys and each 32 components a tile, pairs of components down, keys across */
            for (int block = 0; block < blocks; block++)
                for (int part = 0; part < parts; part++)
                    transpose16((const uint8_t *)(k + (size_t)block * TILE * row + part * STEP), row * 2,
                                length - block * TILE, (uint32_t *)(keys + ((size_t)block * parts + part) * 512));
            /* values: for each 32 tokens and each 16 components a tile, pairs of tokens down, components across */
            for (int token = 0; token < padded; token += 2)
                for (int part = 0; part < parts; part++) {
                    uint16_t *tile = values + ((size_t)(token / STEP) * parts * 2 + part * 2) * 512 + token % STEP / 2 * 32;
                    interleave(token < length ? v + token * row + part * STEP : 0,
                               token + 1 < length ? v + (token + 1) * row + part * STEP : 0, tile, tile + 512);
                }
            for (int block = 0; block < blocks; block++) {
                const int rows = length - block * TILE < TILE ? length - block * TILE : TILE;
                const uint16_t *from = q + (size_t)block * TILE * row;
                size_t stride = row * 2;
                if (rows < TILE) { /* what lies behind the text is not ours */
                    for (int r = 0; r < TILE; r++)
                        if (r < rows)
                            memcpy(queries + r * size, from + r * row, size * 2);
                        else
                            memset(queries + r * size, 0, size * 2);
                    from = queries, stride = size * 2;
                }
                for (int other = 0; other < blocks; other++) {
                    _tile_zero(0);
                    for (int part = 0; part < parts; part++) {
                        _tile_loadd(1, from + part * STEP, stride);
                        _tile_loadd(2, keys + ((size_t)other * parts + part) * 512, 64);
                        _tile_dpbf16ps(0, 1, 2);
                    }
                    _tile_stored(0, scores + other * TILE, most * 4);
                }
                float inverse[TILE];
                for (int r = 0; r < rows; r++)
                    inverse[r] = 1.0f / weights_of(scores + (size_t)r * most, weights + (size_t)r * most, length, padded, scale);
                for (int part = 0; part < parts; part++) {
                    _tile_zero(0);
                    _tile_zero(3);
                    for (int token = 0; token < padded; token += STEP) {
                        const uint16_t *tile = values + ((size_t)(token / STEP) * parts * 2 + part * 2) * 512;
                        _tile_loadd(1, weights + token, most * 2);
                        _tile_loadd(2, tile, 64);
                        _tile_dpbf16ps(0, 1, 2);
                        _tile_loadd(4, tile + 512, 64);
                        _tile_dpbf16ps(3, 1, 4);
                    }
                    _tile_stored(0, sums, 128);
                    _tile_stored(3, sums + 16, 128);
                    for (int r = 0; r < rows; r++) {
                        const __m512 by = _mm512_set1_ps(inverse[r]);
                        uint16_t *to = out + (bounds[text] + block * TILE + r) * width + (size_t)head * size + part * STEP;
                        __m512 low = _mm512_mul_ps(_mm512_load_ps(sums + r * 32), by);
                        __m512 high = _mm512_mul_ps(_mm512_load_ps(sums + r * 32 + 16), by);
                        _mm512_storeu_si512(to, (__m512i)_mm512_cvtne2ps_pbh(high, low));
                    }
                }
            }
        }
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
