package import BusDirectory
import Foundation

/// Reads the files of a space from disk; what they say is for `Space.load` to judge.
package enum SpaceFolder {
    package struct Unreadable: Error, CustomStringConvertible {
        package let description: String
    }

    /// The YAML files of a folder in the order of their names, or the one file that is named. Names keep the given path, so
    /// that findings can be clicked.
    package static func files(at place: String) throws(Unreadable) -> [SpaceFile] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: place, isDirectory: &isFolder) else {
            throw Unreadable(description: "there is no \(place) — name a folder with the YAML files of a space")
        }
        guard isFolder.boolValue else { return [try read(place)] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
        let yaml = names.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted()
        guard !yaml.isEmpty else {
            throw Unreadable(description: "\(place) has no YAML file — name the folder of a space")
        }
        var files: [SpaceFile] = []
        for name in yaml { files.append(try read(place.hasSuffix("/") ? place + name : place + "/" + name)) }
        return files
    }

    /// Names of the contracts in a folder; `nil` where there is no such folder, so that nothing is checked against it.
    package static func contractNames(in folder: String) -> Set<String>? {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return nil }
        return Set(names.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) })
    }

    private static func read(_ path: String) throws(Unreadable) -> SpaceFile {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Unreadable(description: "cannot read \(path) — check its rights")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            let sound = String(decoding: data, as: UTF8.self).prefix { $0 != "\u{FFFD}" }
            let lines = sound.split(separator: "\n", omittingEmptySubsequences: false)
            throw Unreadable(
                description:
                    "\(path):\(lines.count):\((lines.last?.count ?? 0) + 1): error: not UTF-8 — save the file as UTF-8")
        }
        return SpaceFile(name: path, text: text)
    }
}
