import Foundation
import Tarn

/// Photographs read from files, scaled, cropped and normalised as for ImageNet: a batch of 32.
///
/// The pictures are those of the folder that the variable `TARN_BENCH_PHOTOS` names, the first 32 by name,
/// and otherwise made up: 500×375 pixels, JPEG.
let photos: [Workload] = [
  Workload(
    "photos", "a photograph read, scaled to 256, cropped to 224 and normalised", units: 32
  ) {
    let files = Photos.files()
    return {
      do {
        let batch = try Preprocessing.imageNet.batch(contentsOf: files)
        guard batch.failures.isEmpty else { throw batch.failures[0] }
      } catch { Photos.report(error) }
    }
  }
]

private enum Photos {
  static func files() -> [URL] {
    let asked = ProcessInfo.processInfo.environment["TARN_BENCH_PHOTOS"]
    let folder =
      asked.map { URL(fileURLWithPath: $0, isDirectory: true) }
      ?? FileManager.default.temporaryDirectory.appendingPathComponent("tarn-bench-photos-1")
    do {
      if asked == nil { try makeUp(in: folder) }
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        .filter { $0.hasSuffix(".jpg") }.sorted().prefix(32)
      let files = names.map { folder.appendingPathComponent($0) }
      return (0..<32).map { files[$0 % max(1, files.count)] }
    } catch {
      report(error)
      return []
    }
  }

  /// Stops: there is nothing to measure.
  static func report(_ error: any Error) {
    Diagnostic.report(Diagnostic(operation: "bench photos", reason: "\(error)"))
  }

  private static func makeUp(in folder: URL) throws {
    guard !FileManager.default.fileExists(atPath: folder.path) else { return }
    let unfinished = FileManager.default.temporaryDirectory
      .appendingPathComponent("tarn-bench-photos-\(ProcessInfo.processInfo.processIdentifier)")
    try FileManager.default.createDirectory(at: unfinished, withIntermediateDirectories: true)
    for number in 0..<32 {
      let name = number < 10 ? "0\(number).jpg" : "\(number).jpg"
      try photo(number).write(to: unfinished.appendingPathComponent(name), quality: 88)
    }
    // All at once, for another process may be waiting for them.
    try FileManager.default.moveItem(at: unfinished, to: folder)
  }

  /// Slopes, edges and grain, about as hard to compress as a photograph.
  private static func photo(_ number: Int) -> Image {
    let (width, height) = number % 3 == 2 ? (375, 500) : (500, 375)
    var generator = SeededGenerator(seed: 7, stream: UInt64(number))
    var bytes: [UInt8] = []
    bytes.reserveCapacity(3 * width * height)
    for y in 0..<height {
      for x in 0..<width {
        let wave = 50 * sin(Double(x) / (9 + Double(number))) + 40 * cos(Double(y) / 13)
        let edge = (x / 37 + y / 29) % 2 == 0 ? 30.0 : 0
        let grain = Double(generator.integer(below: 25)) - 12
        for channel in 0..<3 {
          let value = 110 + wave + edge + grain + 20 * Double(channel) * sin(Double(y) / 40)
          bytes.append(UInt8(max(0, min(255, value))))
        }
      }
    }
    return Image(width: width, height: height, channels: 3, bytes: bytes)
  }
}
