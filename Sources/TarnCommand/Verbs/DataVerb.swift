import ArgumentParser
import Foundation
import Tarn

/// `tarn data`.
struct DataVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Lists the data sets this program knows, and how to get them.")

  @Option(help: ArgumentHelp("A folder to look for them in.", valueName: "dir"))
  var data: String?

  @OptionGroup var common: CommonOptions

  func answer(_ console: Console) throws -> DataAnswer {
    DataAnswer(sets: ImageSet.allCases.map { .init($0, folder: data) })
  }
}

struct DataAnswer: Answer {
  struct Entry: Encodable {
    var name: String
    var title: String
    var samples: String
    var licence: String
    var source: String
    var howToGet: String
    var isThere: Bool
    var folder: String?

    init(_ set: ImageSet, folder: String?) {
      (name, title, howToGet) = (set.rawValue, set.title, set.howToGet)
      (samples, licence, source) = set.facts
      if set == .digits {
        (isThere, self.folder) = (true, nil)
      } else {
        self.folder = (try? ImageSet.find(set, folder))?.path
        isThere = self.folder != nil
      }
    }
  }

  var sets: [Entry]

  var text: String {
    sets.map { set in
      let place =
        set.folder.map { "in \($0)" } ?? (set.isThere ? "part of this program" : "not here")
      return """
        \(set.name)  \(set.title): \(set.samples)
          licence  \(set.licence)
          source   \(set.source)
          \(set.isThere ? "found    \(place)" : "to get   \(set.howToGet)")
          train    tarn train images \(set.name)\(command(set))
        """
    }.joined(separator: "\n\n")
  }

  private func command(_ set: Entry) -> String {
    guard let folder = set.folder, folder != ImageSet.fashionPackage else {
      return set.isThere ? "" : " --data DIR"
    }
    return " --data \(Paths.word(URL(fileURLWithPath: folder)))"
  }
}

extension ImageSet {
  /// How much there is, under which licence, from whom.
  var facts: (samples: String, licence: String, source: String) {
    switch self {
    case .digits:
      (
        "1,797 grey pictures of 8×8, 10 classes", "CC BY 4.0",
        "E. Alpaydin, C. Kaynak, UCI Machine Learning Repository, 1998"
      )
    case .mnist:
      (
        "60,000 + 10,000 grey pictures of 28×28, 10 classes", "CC BY-SA 3.0",
        "Y. LeCun, C. Cortes, C. Burges, after NIST"
      )
    case .fashion:
      (
        "60,000 + 10,000 grey pictures of 28×28, 10 classes", "MIT",
        "H. Xiao, K. Rasul, R. Vollgraf (Zalando), 2017"
      )
    }
  }
}
