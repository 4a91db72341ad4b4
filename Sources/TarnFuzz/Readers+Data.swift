import Foundation
import Tarn
import TarnData
import TarnText
import TarnVision

// MARK: - Pictures

extension Reader {
  private static let images = "Tests/Goldens/images.npz:"

  static let pictures: [Reader] = [
    Reader(
      name: "jpeg", seeds: [images + "*jpeg*/file", images + "exif_*/file"],
      room: Room(factor: 3 * 512 * 2), read: readPicture),
    Reader(
      name: "png", seeds: [images + "*png*/file"], room: Room(factor: 4 * 8 * Gzip.greatestRatio),
      mutation: .png, read: readPicture),
    Reader(
      name: "bmp", seeds: [images + "*bmp*/file"], room: Room(factor: 4 * 255 * 2),
      read: readPicture),
    Reader(name: "pnm", seeds: [images + "file_p*m*/file"]) { file in
      if choice(file) % 4 == 3 {
        _ = try Netpbm.readGrey(file)
      } else {
        try readPicture(file)
      }
    },
    Reader(
      name: "photo", seeds: [images + "input_*/file", images + "exif_6/file"],
      room: Room(factor: 3 * 512 * 2, base: 8 << 20)
    ) { file in
      _ = try Preprocessing.imageNet(contentsOf: try Workplace.write(file, "photo"))
    },
    Reader(name: "cifar10", room: Room(factor: 64)) { file in
      _ = try Workplace.write(file, "data_batch_1.bin")
      let pictures = try CIFAR10(folder: Workplace.folder).train
      _ = try pictures.batch(at: Array(0..<min(2, pictures.count)), epoch: 0)
    },
    Reader(name: "picture-table") { file in
      // A picture of one point, which the table may name.
      try Data("P1 1 1 0".utf8).write(to: Workplace.file("one.png"))
      let url = try Workplace.write(file, "labels.csv")
      let pictures = try LabelledImages(table: url)
      _ = try pictures.image(at: 0)
    },
  ]

  /// The last byte of a file chooses how it is read.
  private static func choice(_ file: FileBytes) -> Int {
    file.withBytes { Int($0.last ?? 0) }
  }

  @Sendable private static func readPicture(_ file: FileBytes) throws {
    let choice = choice(file)
    let reading = ImageReading(
      channels: [.asStored, .colour, .grey, .asStored][choice & 3],
      opacity: choice & 4 == 0 ? .dropped : .over(red: 9, green: 8, blue: 7),
      allowsDamage: choice & 8 == 0, reduction: [1, 1, 2, 8][choice >> 4 & 3],
      mostPixels: 1 << 22)
    let image = try Image(file, reading)
    if choice & 64 != 0 { _ = image.resized(width: 7, height: 5).tensor }
  }
}

// MARK: - Tables, arrays, archives, texts

extension Reader {
  static let data: [Reader] = [
    Reader(name: "idx", room: .packed, mutation: .gzip) { _ = try IDX.read($0) },
    Reader(name: "csv", room: Room(factor: 2048), mutation: .gzip) { file in
      let table = try CSV().read(Gzip.plain(file, limit: 1 << 20))
      _ = try FeatureEncoder(fitting: table).encode(table)
    },
    Reader(name: "gzip", room: .packed, mutation: .gzip) { file in
      _ = try Gzip.plain(file)
      try Gzip.inflate(file) { _ in }
    },
    Reader(name: "zip", room: .packed, mutation: .archive) { file in
      let archive = try ZipArchive(file)
      for entry in archive.entries { _ = try archive.contents(of: entry) }
    },
    Reader(name: "json", seeds: ["Tools/fuzz/corpus/run/*"], room: .model, mutation: .json) {
      _ = try JSON($0, 0..<$0.count)
    },
    Reader(name: "text", room: .packed, mutation: .gzip) { file in
      let url = try Workplace.write(file, "input.txt")
      let unit = Vocabulary.Unit.allCases[Int(file.withBytes { $0.last ?? 0 }) % 3]
      let corpus = try Corpus(contentsOf: url, unit: unit)
      _ = corpus[0..<min(64, corpus.count)]
      _ = try Corpus(contentsOf: url, vocabulary: corpus.vocabulary)
    },
    Reader(name: "vocabulary", room: .model, mutation: .json) { file in
      _ = try Vocabulary(readingFrom: try Workplace.write(file, "vocabulary.json"))
    },
  ]
}
