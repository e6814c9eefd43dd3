/* The pictures of tests/data/vectors/pixels.json; README.md beside it says the formulas in words.
 */
#pragma once

#include <QImage>
#include <QJsonArray>
#include <QJsonObject>

/* The image that a row draws, in the Qt format of its bytes. A bottom-up row is drawn top-down: a
 * QImage has no other way. */
QImage drawn(const QJsonObject &row, const QJsonArray &photos);
