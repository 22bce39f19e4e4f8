using ImapDirector.Protocol.Assertions;

namespace ImapDirector.Storage.Sessions;

/// <summary>The directors' public keys on the node's disk: one PEM file, or the <c>*.pem</c> files of a directory.</summary>
internal static class AssertionKeyFiles
{
    public const string Pattern = "*.pem";

    private const int MaxFileBytes = 64 * 1024;

    /// <summary>Reads them. A file that is gone takes its keys with it, also the last one: then nobody is believed.</summary>
    /// <exception cref="InvalidDataException">One of them cannot be used; the message is a sentence's beginning and names the file.</exception>
    public static AssertionKeySet Read(IReadOnlyList<string> files)
    {
        var texts = new List<string>(files.Count);
        foreach (var file in files.Where(File.Exists))
        {
            var text = Text(file);
            try
            {
                AssertionKeySet.Parse([text]);
            }
            catch (InvalidDataException unusable)
            {
                throw new InvalidDataException($"\"{file}\" {unusable.Message}");
            }
            texts.Add(text);
        }
        return AssertionKeySet.Parse(texts);
    }

    private static string Text(string file)
    {
        try
        {
            if (new FileInfo(file).Length <= MaxFileBytes) return File.ReadAllText(file);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"\"{file}\" cannot be read ({unreadable.GetType().Name})");
        }
        throw new InvalidDataException($"\"{file}\" has more than {MaxFileBytes} bytes");
    }
}
