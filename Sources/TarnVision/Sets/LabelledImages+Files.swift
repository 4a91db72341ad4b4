import Foundation
import TarnCore
import TarnData

extension LabelledImages {
  /// How pictures are gathered from files.
  public struct Options: Sendable, Hashable {
    public var reading: ImageReading
    public var checking: Checking
    /// A single file that cannot be read is an error.
    public var isStrict: Bool
    /// Bytes of files to keep in memory; 0: none, the system's own cache is enough.
    public var cachedBytes: Int
    /// Threads that read; nil: as many as the engine uses.
    public var threads: Int?

    public init(
      reading: ImageReading = ImageReading(channels: .colour), checking: Checking = .contents,
      isStrict: Bool = false, cachedBytes: Int = 0, threads: Int? = nil
    ) {
      (self.reading, self.checking, self.isStrict) = (reading, checking, isStrict)
      (self.cachedBytes, self.threads) = (cachedBytes, threads)
    }
  }

  /// The pictures of a folder with a folder for each class, which may have folders in them. Classes are
  /// sorted by name; hidden files are passed over; what is a picture is told by its contents.
  ///
  /// Files that cannot be read are listed in ``failures`` and left out. A class without any picture is
  /// left out.
  ///
  /// - Parameter wanted: the classes and their order; nil: the folders there are.
  /// - Throws: `DataError` where nothing is left, or, if asked for, at the first file that cannot be
  ///   read.
  public init(
    classFolders folder: URL, classes wanted: [String]? = nil,
    preprocessing: Preprocessing = .imageNet, options: Options = .init()
  ) throws {
    let folders = try PictureFiles.folders(in: folder)
    guard !folders.isEmpty else { throw Self.noClasses(folder) }
    var found: [(file: URL, name: String)] = []
    for classFolder in folders {
      for file in try PictureFiles.files(below: classFolder) {
        found.append((file, classFolder.lastPathComponent))
      }
    }
    try self.init(
      found, in: folder, classes: wanted, preprocessing: preprocessing, options: options)
  }

  private static func noClasses(_ folder: URL) -> DataError {
    let loose = (try? PictureFiles.files(below: folder))?.count ?? 0
    return DataError(
      .invalid, file: folder.path,
      reason: "has no folders in it, of which each would be a class",
      hint: loose > 0
        ? "put the pictures of each class in a folder named for it, or give a CSV file of labels"
        : "give a folder with a folder of pictures for each class")
  }

  /// The pictures that a CSV file names, whose classes stand in another column.
  ///
  /// ```swift
  /// let pets = try LabelledImages(
  ///   table: URL(fileURLWithPath: "pets/labels.csv"), labelColumn: "breed")
  /// ```
  /// - Parameters:
  ///   - table: CSV with a header.
  ///   - fileColumn: the column of the files' names, relative to `folder`.
  ///   - labelColumn: the column of the classes.
  ///   - folder: where the files lie; by default beside the table.
  ///   - classes: the classes and their order; nil: those there are, sorted.
  public init(
    table: URL, fileColumn: String = "file", labelColumn: String = "label", folder: URL? = nil,
    classes: [String]? = nil, preprocessing: Preprocessing = .imageNet, options: Options = .init()
  ) throws {
    let rows = try CSV(header: .present).read(contentsOf: table)
    let (files, labels) = (try rows.column(fileColumn), try rows.column(labelColumn))
    let base = folder ?? table.deletingLastPathComponent()
    var found: [(file: URL, name: String)] = []
    for row in 0..<rows.rowCount {
      guard let file = files.text(row), let label = labels.text(row) else { continue }
      let url = file.hasPrefix("/") ? URL(fileURLWithPath: file) : base.appendingPathComponent(file)
      found.append((url, label))
    }
    try self.init(
      found, in: table, classes: classes, preprocessing: preprocessing, options: options)
  }

  /// Files with the names of their classes.
  private init(
    _ found: [(file: URL, name: String)], in origin: URL, classes wanted: [String]?,
    preprocessing: Preprocessing, options: Options
  ) throws {
    let known = wanted.map(Set.init)
    let asked = found.filter { known?.contains($0.name) ?? true }
    let cache = options.cachedBytes > 0 ? ByteCache(limit: options.cachedBytes) : nil
    let problems = PictureFiles.check(
      asked.map(\.file), options.reading, options.checking, threads: options.threads, cache: cache)
    let kept = asked.indices.filter { problems[$0] == nil }
    let failures = problems.compactMap { $0 }.filter {
      // Notes and lists beside the pictures are no damage.
      PictureFiles.isNamedAsPicture($0.file) || origin.pathExtension.lowercased() == "csv"
    }
    if options.isStrict, let first = failures.first {
      throw DataError(
        .invalid, file: first.file.path, reason: first.reason, hint: "leave the file out")
    }
    guard !kept.isEmpty else { throw Self.nothingLeft(origin, failures) }
    let present = Set(kept.map { asked[$0].name })
    let classes =
      wanted ?? present.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let places = Dictionary(
      classes.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    self.init(
      .files(kept.map { asked[$0].file }, options.reading, cache),
      labels: kept.map { places[asked[$0].name] ?? 0 }, classes: classes,
      preprocessing: preprocessing, failures: failures)
    (isStrict, threads) = (options.isStrict, options.threads)
  }

  private static func nothingLeft(_ origin: URL, _ failures: [FileFailure]) -> DataError {
    let first = failures.first.map { "; the first: \($0)" } ?? ""
    return DataError(
      .invalid, file: origin.path,
      reason: failures.isEmpty
        ? "names or holds no pictures"
        : "has \(failures.count) files, of which none can be read" + first,
      hint: "JPEG, PNG, BMP, PGM and PPM pictures are read")
  }
}
