using System.Text;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Protocol.Tests.Imap;

/// <summary>Search keys.</summary>
internal sealed partial class CommandPrinter
{
    private void Key(SearchKey key)
    {
        switch (key)
        {
            case AllKey: Word("ALL"); break;
            case AndKey and: List(and.Keys, Key); break;
            case OrKey or:
                Word("OR ");
                Key(or.Left);
                Raw(" ");
                Key(or.Right);
                break;
            case NotKey not:
                Word("NOT ");
                Key(not.Key);
                break;
            case FuzzyKey fuzzy:
                Word("FUZZY ");
                Key(fuzzy.Key);
                break;
            case SequenceKey sequence: Ranges(sequence.Messages); break;
            case UidKey uid:
                Word("UID");
                Set(uid.Uids);
                break;
            case FlagKey flag: Word((flag.Present ? "" : "UN") + flag.Flag); break;
            case KeywordKey keyword:
                Word(keyword.Present ? "KEYWORD " : "UNKEYWORD ");
                Raw(keyword.Keyword);
                break;
            case RecentKey recent: Word(recent.Recent ? "RECENT" : "OLD"); break;
            case DateKey date:
                Word($"{date.Kind switch { DateKind.Sent => "SENT", DateKind.Saved => "SAVED", _ => "" }}{date.Comparison} ");
                Raw(Quoted(date.Date.ToString("d-MMM-yyyy")));
                break;
            case ModSeqKey changed: Word(spelling == Spelling.Shortest ? $"MODSEQ {changed.ModSeq}" : $"MODSEQ \"/flags/\\\\draft\" all {changed.ModSeq}"); break;
            case AgeKey age: Word($"{(age.Younger ? "YOUNGER" : "OLDER")} {age.Seconds}"); break;
            case EmailIdKey email:
                Word("EMAILID ");
                Raw(email.Id);
                break;
            case ThreadIdKey thread:
                Word("THREADID ");
                Raw(thread.Id);
                break;
            case SizeKey size: Word($"{(size.Larger ? "LARGER" : "SMALLER")} {size.Bytes}"); break;
            case HeaderKey { Field: "Bcc" or "Cc" or "From" or "Subject" or "To" } header:
                Word(header.Field);
                Argument(Encoding.UTF8.GetBytes(header.Text));
                break;
            case HeaderKey header:
                Word("HEADER");
                Argument(Encoding.ASCII.GetBytes(header.Field));
                Argument(Encoding.UTF8.GetBytes(header.Text));
                break;
            case TextKey text:
                Word(text.IncludeHeader ? "TEXT" : "BODY");
                Argument(Encoding.UTF8.GetBytes(text.Text));
                break;
            default: throw new ArgumentOutOfRangeException(nameof(key));
        }
    }
}
