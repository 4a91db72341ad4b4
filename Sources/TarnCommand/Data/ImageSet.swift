import ArgumentParser
import Foundation
import Tarn

/// The sets of pictures that `train images` knows.
enum ImageSet: String, Codable, CaseIterable, ExpressibleByArgument {
  case digits, mnist, fashion

  var title: String {
    switch self {
    case .digits: "handwritten digits (8×8)"
    case .mnist: "MNIST"
    case .fashion: "Fashion-MNIST"
    }
  }

  var classes: [String] { self == .fashion ? MNIST.fashionClasses : Digits.classes }

  /// Reads the set.
  /// - Parameter folder: where its files are, or the folder above; nil: the usual places.
  func load(folder: String?, split: Split) throws -> Samples {
    switch self {
    case .digits:
      // The same held-out digits for every seed, so that runs compare.
      let parts = Digits.split()
      return try Samples(
        name: rawValue, learning: parts.train, test: parts.test, split: split, classes: classes)
    case .mnist, .fashion:
      let set = try MNIST(folder: try Self.find(self, folder))
      return try Samples(
        name: rawValue, learning: set.train.take(set.train.count),
        test: set.test.take(set.test.count), split: split, classes: classes)
    }
  }

  /// Names a folder that holds the set may have.
  private var folderNames: [String] {
    self == .fashion ? ["fashion-mnist", "fashion"] : ["mnist"]
  }

  /// The first of the places asked for that has the set's files.
  static func find(_ set: ImageSet, _ folder: String?) throws -> URL {
    let places = set.places(folder)
    if let place = places.first(where: hasFiles) { return place }
    throw DataError(
      .missing, file: folder ?? set.rawValue,
      reason:
        "\(set.title) is not there: no train-images-idx3-ubyte or train-images-idx3-ubyte.gz in "
        + places.map(\.path).joined(separator: ", "),
      hint: set.howToGet)
  }

  private func places(_ folder: String?) -> [URL] {
    let environment = ProcessInfo.processInfo.environment["TARN_DATA"]
    let asked = folder ?? environment
    var places: [URL] = []
    if let asked {
      let base = URL(fileURLWithPath: asked)
      // A folder that was asked for and named for another set's sake is no place for Fashion-MNIST.
      let direct = self == .fashion && folder == nil ? [] : [base]
      places = direct + folderNames.map { base.appendingPathComponent($0) }
    }
    places.append(Resource.folder(for: .data).appendingPathComponent(rawValue))
    if self == .fashion { places.append(URL(fileURLWithPath: Self.fashionPackage)) }
    return places
  }

  static let fashionPackage = "/usr/share/datasets/fashion-mnist"

  private static func hasFiles(_ folder: URL) -> Bool {
    ["-", "."].contains { dash in
      ["", ".gz"].contains { packing in
        let name = "train-images\(dash)idx3-ubyte\(packing)"
        return FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path)
      }
    }
  }

  /// Where the files come from.
  var howToGet: String {
    switch self {
    case .digits: "nothing to fetch: they are part of this program"
    case .mnist: "tarn data get mnist; or give --data DIR, a folder with its four files"
    case .fashion:
      "tarn data get fashion, or apt-get install dataset-fashion-mnist, or give --data DIR"
    }
  }
}

/// How samples are cut into those to learn from, to validate with and to test on.
struct Split: Codable, Hashable {
  var seed: UInt64
  /// Share of the learning samples that is kept for validation.
  var validation: Double
}
