import Foundation
import Tarn
import TarnData
import Testing

/// The files of Tests/Fixtures/weights/keras.zip, made by Tools/make-keras-fixtures.py, in a folder.
struct KerasFixtures {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let archive = try ZipArchive(FileBytes(mapping: WeightFixtures.url("keras.zip")))
    for entry in archive.entries {
      let contents = try archive.contents(of: entry)
      try contents.withBytes { try Data($0).write(to: folder.file(entry.name)) }
    }
  }

  func url(_ name: String) -> URL { folder.file(name) }

  static func bytes(_ name: String) throws -> [UInt8] {
    let archive = try ZipArchive(FileBytes(mapping: WeightFixtures.url("keras.zip")))
    return try archive.contents(of: #require(archive[name])).withBytes { Array($0) }
  }
}

let hdf5Missing: Comment = "libhdf5 is not here"
