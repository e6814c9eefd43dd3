#include "drawn.h"

#include <QHash>
#include <array>

namespace {

uint32_t mix(uint32_t n) {
  n = (n ^ (n >> 16)) * 0x7feb352du;
  n = (n ^ (n >> 15)) * 0x846ca68bu;
  return n ^ (n >> 16);
}

using Colours = std::array<int, 3>;

Colours lattice(const QJsonObject &row, int x, int y, int width, int height) {
  const int seed = row["seed"].toInt(), cells = row["cells"].toInt();
  const int X = x * 256 * cells / width, Y = y * 256 * cells / height;
  const uint32_t k = uint32_t(4096 * seed + 64 * (Y >> 8) + (X >> 8));
  const int f = X & 255, g = Y & 255;
  const int a = int(mix(k) % 256) * (256 - f) + int(mix(k + 1) % 256) * f;
  const int b = int(mix(k + 64) % 256) * (256 - f) + int(mix(k + 65) % 256) * f;
  const int v = (a * (256 - g) + b * g) >> 16;
  return {v, 16 + (v * 3 >> 2), 32 + (v >> 1)};
}

struct Photo {
  QByteArray rgb;
  int width = 0, height = 0;

  Colours at(int x, int y, int w, int h) const {
    const int place = 3 * (y * height / h * width + x * width / w);
    return {uint8_t(rgb[place]), uint8_t(rgb[place + 1]), uint8_t(rgb[place + 2])};
  }
};

int alphaAt(const QString &kind, int x, int width) {
  return kind == "half" ? 128 : kind == "clear" ? 0 : kind == "ramp" ? x * 255 / width : 255;
}

}  // namespace

QImage drawn(const QJsonObject &row, const QJsonArray &photos) {
  static const QHash<QString, QImage::Format> formats = {
      {"gray", QImage::Format_Grayscale8}, {"gray16", QImage::Format_Grayscale16},
      {"rgb", QImage::Format_RGB888},      {"rgbx", QImage::Format_RGBX8888},
      {"rgba", QImage::Format_RGBA8888},   {"bgrx", QImage::Format_RGB32},
      {"bgra", QImage::Format_ARGB32}};
  const QString format = row["format"].toString(), alpha = row["alpha"].toString();
  const int width = row["width"].toInt(), height = row["height"].toInt();
  const int turn = row["turn"].toInt(), level = row["level"].toInt();
  const int contrast = row["contrast"].toInt(256), noise = row["noise"].toInt();
  Photo photo;
  if (row.contains("photo")) {
    const QJsonObject stored = photos[row["photo"].toInt()].toObject();
    photo = {QByteArray::fromBase64(stored["rgb"].toString().toLatin1()), stored["width"].toInt(),
             stored["height"].toInt()};
  }
  QImage image(width, height, formats[format]);
  for (int y = 0; y < height; y++) {
    for (int x = 0; x < width; x++) {
      const bool across = turn & 4;
      const int w = across ? height : width, h = across ? width : height;
      int bx = across ? y : x, by = across ? x : y;
      if (turn & 1) bx = w - 1 - bx;
      if (turn & 2) by = h - 1 - by;
      Colours c = photo.width ? photo.at(bx, by, w, h) : lattice(row, bx, by, w, h);
      const int shift = int(mix(uint32_t(y * width + x)) % uint32_t(2 * noise + 1)) - noise;
      for (int &v : c) v = qBound(0, level + (v * contrast >> 8) + shift, 255);
      uint8_t *line = image.scanLine(y);
      if (format == "gray")
        line[x] = uint8_t(c[0]);
      else if (format == "gray16")
        reinterpret_cast<uint16_t *>(line)[x] = uint16_t(257 * c[0]);
      else if (format == "rgb")
        for (int i = 0; i < 3; i++) line[3 * x + i] = uint8_t(c[size_t(i)]);
      else if (format.startsWith("rgb"))
        for (int i = 0; i < 4; i++)
          line[4 * x + i] = uint8_t(i < 3 ? c[size_t(i)] : alphaAt(alpha, x, width));
      else
        reinterpret_cast<QRgb *>(line)[x] = qRgba(c[0], c[1], c[2], alphaAt(alpha, x, width));
    }
  }
  return image;
}
