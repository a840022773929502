// The tile registers of AMX: 8 of up to 16 rows of 64 bytes. A process asks for them once (dispatch.cpp); a thread
// configures them before a product and gives them back after it, so that nothing of them is saved when it is switched.
#pragma once

#include <immintrin.h>

#include "simd/target.h"

LN_BEGIN_TARGET

constexpr size_t kTileRows = 16, kTileColumns = 16;  // of 4 bytes

struct TileConfig {
  alignas(64) uint8_t palette = 1;
  uint8_t start = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};

  LN_INLINE void set(int tile, size_t tile_rows, size_t bytes) {
    rows[tile] = static_cast<uint8_t>(tile_rows);
    row_bytes[tile] = static_cast<uint16_t>(bytes);
  }
  LN_INLINE void load() const { __asm__ volatile("ldtilecfg %0" : : "m"(*this)); }
};

// Tile instructions stay in their order, but compilers do not see that they read and write memory.
LN_INLINE void tile_memory() {
  __asm__ volatile("" : : : "memory");
}

LN_END_TARGET
